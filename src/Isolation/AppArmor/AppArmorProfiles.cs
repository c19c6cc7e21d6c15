using System.Diagnostics;
using System.Text.RegularExpressions;

namespace Isolation;

/// <summary>
/// Profiles of AppArmor (apparmor(7)) that containers can be confined by with <c>WithAppArmorProfile</c>. Loading takes root (CAP_MAC_ADMIN) and the program
/// <c>apparmor_parser</c> (Debian package apparmor); a profile stays in the kernel until it is unloaded. Safe from any thread.
/// </summary>
public static partial class AppArmorProfiles
{
    /// <summary>
    /// The text of a profile for containers in general, as other runtimes have one: all but writing to the kernel's files in <c>/proc</c> and <c>/sys</c>, mounting, and
    /// signals to and tracing of processes outside. It includes no other file.
    /// </summary>
    /// <param name="name">Letters, digits, '_', '.', '+' and '-'; how it is loaded.</param>
    public static string DefaultText(string name) => $$"""
        profile {{Checked(name)}} flags=(attach_disconnected,mediate_deleted) {
          network,
          capability,
          file,
          umount,
          unix,
          signal (receive) peer=unconfined,
          signal (send,receive) peer={{name}},
          ptrace (trace,tracedby,read,readby) peer={{name}},

          deny mount,
          deny /proc/* w,
          deny /proc/{[^1-9],[^1-9][^0-9],[^1-9s][^0-9y][^0-9s],[^1-9][^0-9][^0-9][^0-9/]*}/** w,
          deny /proc/sys/[^kn]** wklx,
          deny /proc/sys/kernel/{?,??,[^s][^h][^m]**} wklx,
          deny /proc/sysrq-trigger rwklx,
          deny /proc/kcore rwklx,
          deny /sys/[^f]*/** wklx,
          deny /sys/f[^s]*/** wklx,
          deny /sys/fs/[^c]*/** wklx,
          deny /sys/fs/c[^g]*/** wklx,
          deny /sys/fs/cg[^r]*/** wklx,
          deny /sys/firmware/** rwklx,
          deny /sys/kernel/security/** rwklx,
        }

        """;

    /// <summary>Loads profiles, in place of those that have their names.</summary>
    /// <param name="text">As apparmor.d(5) has it.</param>
    /// <param name="cancellationToken">Ends the program that loads it.</param>
    /// <exception cref="ContainerException">There is no apparmor_parser, or it has refused: with its words.</exception>
    public static Task LoadAsync(string text, CancellationToken cancellationToken = default) => ParseAsync("--replace", text, cancellationToken);

    /// <summary>Unloads profiles by their text. Programs that are confined by them are confined no more.</summary>
    /// <exception cref="ContainerException">There is no apparmor_parser, or it has refused: with its words.</exception>
    public static Task UnloadAsync(string text, CancellationToken cancellationToken = default) => ParseAsync("--remove", text, cancellationToken);

    internal static string Checked(string name)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        return Name().IsMatch(name) ? name : throw new ArgumentException($"'{name.ReplaceLineEndings(" ")}' is no name of an AppArmor profile that can be used here: letters, digits, '_', '.', '+', '-', '/', ':'.", nameof(name));
    }

    private static async Task ParseAsync(string what, string text, CancellationToken cancellationToken)
    {
        ArgumentException.ThrowIfNullOrEmpty(text);
        string program = Array.Find(["/usr/sbin/apparmor_parser", "/sbin/apparmor_parser", "/usr/bin/apparmor_parser"], File.Exists)
            ?? throw new ContainerException(ContainerErrorReason.SecurityUnavailable, "There is no apparmor_parser to load profiles with", null, "install it (Debian: package apparmor), or load the profile by other means");
        using Process process = Process.Start(new ProcessStartInfo(program, [what, "--skip-cache"]) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true })!;
        try
        {
            Task<string> output = process.StandardOutput.ReadToEndAsync(cancellationToken), error = process.StandardError.ReadToEndAsync(cancellationToken);
            try
            {
                await process.StandardInput.WriteAsync(text.AsMemory(), cancellationToken).ConfigureAwait(false);
                process.StandardInput.Close();
            }
            catch (IOException)
            {
                // It has ended without reading, and says why.
            }

            string words = (await output.ConfigureAwait(false) + await error.ConfigureAwait(false)).Trim();
            await process.WaitForExitAsync(cancellationToken).ConfigureAwait(false);
            if (process.ExitCode != 0) throw new ContainerException(ContainerErrorReason.SecurityUnavailable, $"apparmor_parser refused the profile: {words}", null, "loading takes root, AppArmor in the kernel, and securityfs on /sys/kernel/security");
        }
        finally
        {
            if (!process.HasExited) process.Kill();
        }
    }

    [GeneratedRegex("^[A-Za-z0-9_.+/:-]{1,200}$")]
    private static partial Regex Name();
}
