namespace Isolation;

/// <summary>Settings that have a default and that an image can say otherwise, unless a call has.</summary>
[Flags]
internal enum GivenSettings
{
    None = 0,
    WorkingDirectory = 1,
    StopSignal = 2,
}
