namespace Isolation;

/// <summary>Which profile a program is confined by.</summary>
/// <param name="Profile">Its name, as it is loaded.</param>
/// <param name="Stacked">On top of the caller's own, and not instead of it.</param>
/// <param name="Preferred">Where it cannot be had the program runs without, and the report says so.</param>
internal sealed record AppArmorUse(string Profile, bool Stacked, bool Preferred);
