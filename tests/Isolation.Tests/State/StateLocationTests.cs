namespace Isolation.Tests;

/// <summary>Where records are kept, unless somebody says otherwise.</summary>
public sealed class StateLocationTests
{
    [Theory]
    [InlineData(0u, null, "/run/isolation,/tmp/isolation-0")]
    [InlineData(0u, "/run/user/0", "/run/isolation,/run/user/0/isolation,/tmp/isolation-0")]
    [InlineData(1000u, "/run/user/1000", "/run/user/1000/isolation,/tmp/isolation-1000")]
    [InlineData(1000u, null, "/tmp/isolation-1000")]
    [InlineData(1000u, "", "/tmp/isolation-1000")]
    [InlineData(1000u, "relative", "/tmp/isolation-1000")]
    public void The_places_in_order(uint user, string? runtimeDirectory, string places) =>
        Assert.Equal(places.Split(','), StateLocation.Candidates(user, runtimeDirectory).Select(place => place.Path));
}
