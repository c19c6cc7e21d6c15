namespace Isolation.Live.Tests;

/// <summary>Profiles of AppArmor, where the kernel has it: in the virtual machine.</summary>
[Trait("Lane", "VM")]
public sealed class AppArmorTests
{
    private const string Missing = "isolation-test-that-is-not-loaded";

    private static bool HasAppArmor => HostFactsReader.Current.AppArmorFile is not null;

    [Fact]
    public async Task Without_it_what_is_required_is_refused_and_what_is_preferred_reported()
    {
        Assert.SkipWhen(HasAppArmor, "this kernel has AppArmor");

        ContainerException exception = await Sandbox.Host("true").WithAppArmorProfile(Missing).RefusalAsync();
        Assert.Equal(ContainerErrorReason.SecurityUnavailable, exception.Reason);
        await using Container container = await Sandbox.SleeperAsync(builder => builder.WithAppArmorProfile(Missing, preferred: true));
        Assert.Contains(container.Enforcement, entry => entry is { Feature: "apparmor", State: EnforcementState.Fallback });
    }

    [Fact]
    public async Task A_profile_that_is_not_loaded_is_named()
    {
        Assert.SkipUnless(HasAppArmor, "this kernel has no AppArmor");

        ContainerException exception = await Sandbox.Host("true").WithAppArmorProfile(Missing).RefusalAsync();
        Assert.Equal(ContainerErrorReason.SecurityUnavailable, exception.Reason);
        Assert.Contains(Missing, exception.Message, StringComparison.Ordinal);
        Assert.Contains("AppArmorProfiles.LoadAsync", exception.Message, StringComparison.Ordinal);
        await using Container container = await Sandbox.SleeperAsync(builder => builder.WithAppArmorProfile(Missing, preferred: true));
        Assert.Contains(container.Enforcement, entry => entry is { Feature: "apparmor", State: EnforcementState.Fallback });
    }

    [Fact]
    public async Task Who_may_load_none_is_confined_by_one_that_is_loaded()
    {
        Assert.SkipUnless(HasAppArmor, "this kernel has no AppArmor");
        string name = Environment.GetEnvironmentVariable("ISOLATION_TEST_APPARMOR") ?? "";
        Assert.SkipWhen(name.Length == 0, "the virtual machine only: a profile is loaded there");
        await using Container container = await Sandbox.SleeperAsync(builder => builder.WithAppArmorProfile(name));

        Assert.Equal($"{name} (enforce)\nx\ndenied", await container.ExecShellAsync("cat /proc/self/attr/current; echo x > /tmp/open && cat /tmp/open; echo x 2>/dev/null > /tmp/secret || echo denied"));
        Assert.Contains(container.Enforcement, entry => entry is { Feature: "security label", State: EnforcementState.Enforced } && entry.Detail == $"{name} (enforce)");
    }

    [Fact]
    public async Task The_attribute_that_kernels_before_5_8_have_is_as_good()
    {
        Assert.SkipUnless(HasAppArmor, "this kernel has no AppArmor");
        string name = Environment.GetEnvironmentVariable("ISOLATION_TEST_APPARMOR") ?? "";
        Assert.SkipWhen(name.Length == 0, "the virtual machine only: a profile is loaded there");
        ContainerSpec spec = Sandbox.Host("cat", "/proc/self/attr/current").WithAppArmorProfile(name).Build();
        Launch.PlanInputs inputs = LaunchInputs.Gather(spec);
        spec.ChangePlan(_ => Launch.LaunchPlanner.Plan(inputs with { Host = inputs.Host with { AppArmorFile = "/proc/self/attr/exec" } }));

        Assert.Equal($"{name} (enforce)", Sandbox.Output(await spec.RunAsync(Sandbox.Token)));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_program_is_confined_by_the_profile_and_so_are_those_that_enter(bool init)
    {
        Assert.SkipUnless(HasAppArmor, "this kernel has no AppArmor");
        Assert.SkipUnless(Lane.IsRoot && File.Exists("/usr/sbin/apparmor_parser") && Directory.Exists("/sys/kernel/security/apparmor"), "loading a profile takes root, apparmor_parser and securityfs");
        string name = $"isolation-test-{Environment.ProcessId}-{init}", text = AppArmorProfiles.DefaultText(name).Replace("deny mount,", "deny mount,\n  deny /tmp/secret rw,", StringComparison.Ordinal);
        await AppArmorProfiles.LoadAsync(text, Sandbox.Token);
        try
        {
            await using Container container = await Sandbox.SleeperAsync(builder =>
            {
                builder.WithAppArmorProfile(name).AddCapability(Capability.SysAdmin).WithoutSeccomp();
                if (init) builder.WithInit();
            });
            ContainerResult inside = await container.NewProcess().WithCommand("sh", "-c", "cat /proc/self/attr/current; echo x > /tmp/open && cat /tmp/open; echo x > /tmp/secret || echo denied; mount -t tmpfs none /mnt 2>/dev/null || echo no mount").RunAsync(Sandbox.Token);

            Assert.Equal([$"{name} (enforce)", "x", "denied", "no mount"], inside.StandardOutput.TrimEnd().Split('\n'));
            Assert.Contains(container.Enforcement, entry => entry is { Feature: "security label", State: EnforcementState.Enforced } && entry.Detail == $"{name} (enforce)");

            string stacked = await Sandbox.Host("cat", "/proc/self/attr/current").WithAppArmorProfile(name, stacked: true).OutputAsync();
            Assert.Contains(name, stacked, StringComparison.Ordinal);
        }
        finally
        {
            await AppArmorProfiles.UnloadAsync(text, Sandbox.Token);
        }
    }

    [Fact]
    public async Task A_profile_with_an_error_is_refused_in_the_parsers_words()
    {
        Assert.SkipUnless(File.Exists("/usr/sbin/apparmor_parser"), "there is no apparmor_parser");

        ContainerException exception = await Assert.ThrowsAsync<ContainerException>(() => AppArmorProfiles.LoadAsync("profile broken {", Sandbox.Token));

        Assert.Equal(ContainerErrorReason.SecurityUnavailable, exception.Reason);
    }

    [Theory]
    [InlineData("")]
    [InlineData("two words")]
    [InlineData("line\nbreak")]
    public void A_name_that_would_say_something_else_is_refused(string name) => Assert.ThrowsAny<ArgumentException>(() => Sandbox.Host("true").WithAppArmorProfile(name));
}
