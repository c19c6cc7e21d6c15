using System.Globalization;

namespace Isolation;

/// <summary>Users of the host, by its <c>/etc/passwd</c> (passwd(5)).</summary>
internal static class HostUser
{
    /// <summary><c>#</c> and the id where it has no name, or where names cannot be read.</summary>
    internal static string NameOf(uint id)
    {
        try
        {
            string number = id.ToString(CultureInfo.InvariantCulture);
            return File.ReadLines("/etc/passwd").Select(static line => line.Split(':')).FirstOrDefault(fields => fields.Length > 2 && fields[2] == number)?[0] ?? "#" + number;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return "#" + id.ToString(CultureInfo.InvariantCulture);
        }
    }
}
