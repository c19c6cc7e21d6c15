namespace Isolation;

public sealed partial record SeccompPolicy
{
    /// <summary>
    /// Reads a profile as <c>docker run --security-opt seccomp=FILE</c> takes it, or the <c>linux.seccomp</c> of an OCI runtime-spec <c>config.json</c>. As these have it,
    /// system calls that this library does not know, and those of other architectures, are left out; a rule without conditions goes before those that have
    /// some for the same call.
    /// </summary>
    /// <exception cref="FormatException">It is neither; the message says where.</exception>
    public static SeccompPolicy FromJson(string json)
    {
        ArgumentNullException.ThrowIfNull(json);
        return SeccompProfileReader.Read(System.Text.Encoding.UTF8.GetBytes(json), OperatingSystem.IsLinux() ? Environment.OSVersion.Version : new(5, 10), System.Runtime.InteropServices.RuntimeInformation.ProcessArchitecture == System.Runtime.InteropServices.Architecture.Arm64);
    }
}
