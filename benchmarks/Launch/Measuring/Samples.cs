namespace Isolation.Benchmarks;

/// <summary>Durations in milliseconds.</summary>
internal sealed class Samples
{
    private readonly List<double> _values = [];
    private bool _sorted = true;

    internal int Count => _values.Count;

    internal double Min => At(0);

    internal double Median => At(0.5);

    internal double P90 => At(0.9);

    internal void Add(double milliseconds)
    {
        _values.Add(milliseconds);
        _sorted = false;
    }

    internal void AddRange(IEnumerable<double> milliseconds)
    {
        foreach (double value in milliseconds) Add(value);
    }

    // Between two values it goes linearly.
    private double At(double fraction)
    {
        if (_values.Count == 0) return double.NaN;
        if (!_sorted) _values.Sort();
        _sorted = true;
        double position = fraction * (_values.Count - 1);
        int below = (int)position;
        int above = Math.Min(below + 1, _values.Count - 1);
        return _values[below] + (position - below) * (_values[above] - _values[below]);
    }
}
