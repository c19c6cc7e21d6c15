using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text;

namespace Isolation.Cgroups;

/// <summary>
/// What the parsers write into: a reading before it is whole. One is used again and again by its reader, so that lists
/// and names cost nothing after the first time. For one thread.
/// </summary>
internal sealed class StatsDraft
{
    // Fields, so that parsers set one figure without a copy of all.
    internal CgroupCpuStats Cpu;
    internal CgroupMemoryStats Memory;
    internal CgroupPidsStats Pids;
    internal CgroupPressureStats Pressure;

    internal CgroupStatsDetails Details { get; private set; }

    internal DateTimeOffset ReadAt { get; private set; }

    internal long Timestamp { get; private set; }

    internal Entries<(uint Major, uint Minor), CgroupDeviceIo> Io { get; } = new(static device => new(device.Major, device.Minor));

    internal Entries<long, CgroupHugetlbStats> Hugetlb { get; } = new(static size => new(size));

    internal NamedEntries<CgroupRdmaStats> Rdma { get; } = new(static name => new(name));

    internal NamedEntries<CgroupMiscStats> Misc { get; } = new(static name => new(name));

    internal void Begin(CgroupStatsDetails details)
    {
        Details = details;
        ReadAt = DateTimeOffset.UtcNow;
        Timestamp = Stopwatch.GetTimestamp();
        (Cpu, Memory, Pids, Pressure) = (default, default, default, default);
        Io.Clear();
        Hugetlb.Clear();
        Rdma.Clear();
        Misc.Clear();
    }

    internal CgroupStats Finish() => new(this);

    /// <summary>The entries of a list, by what the kernel names them with.</summary>
    internal sealed class Entries<TKey, TEntry>(Func<TKey, TEntry> make)
        where TKey : struct, IEquatable<TKey>
    {
        private readonly List<TKey> _keys = [];
        private readonly List<TEntry> _entries = [];
        private bool _known;
        private int _next;

        /// <summary>The kernel has this list, even if it is empty.</summary>
        internal void Exists() => _known = true;

        /// <summary>The entry with this key, made if it is new. Good until the next call.</summary>
        internal ref TEntry this[TKey key]
        {
            get
            {
                Exists();
                // Files name the same things in the same order, so that the next one is nearly always the one after the last.
                int at = _next < _keys.Count && _keys[_next].Equals(key) ? _next : _keys.IndexOf(key);
                if (at < 0)
                {
                    at = _keys.Count;
                    _keys.Add(key);
                    _entries.Add(make(key));
                }

                _next = at + 1;
                return ref CollectionsMarshal.AsSpan(_entries)[at];
            }
        }

        /// <summary>Before the next file: it begins with the first one again.</summary>
        internal void Rewind() => _next = 0;

        internal void Clear()
        {
            _keys.Clear();
            _entries.Clear();
            (_known, _next) = (false, 0);
        }

        internal TEntry[]? ToArray() => _known ? _entries.Count == 0 ? [] : _entries.ToArray() : null;
    }

    /// <summary>The same by name; a name becomes a string once in the life of the draft.</summary>
    internal sealed class NamedEntries<TEntry>(Func<string, TEntry> make)
    {
        private readonly List<(byte[] Bytes, string Text)> _names = [];
        private readonly List<int> _used = [];
        private readonly List<TEntry> _entries = [];
        private bool _known;

        internal void Exists() => _known = true;

        internal ref TEntry this[ReadOnlySpan<byte> name]
        {
            get
            {
                Exists();
                int number = Number(name), at = _used.IndexOf(number);
                if (at < 0)
                {
                    at = _used.Count;
                    _used.Add(number);
                    _entries.Add(make(_names[number].Text));
                }

                return ref CollectionsMarshal.AsSpan(_entries)[at];
            }
        }

        internal void Clear()
        {
            _used.Clear();
            _entries.Clear();
            _known = false;
        }

        internal TEntry[]? ToArray() => _known ? _entries.Count == 0 ? [] : _entries.ToArray() : null;

        private int Number(ReadOnlySpan<byte> name)
        {
            for (int i = 0; i < _names.Count; i++)
                if (name.SequenceEqual(_names[i].Bytes)) return i;
            _names.Add((name.ToArray(), Encoding.UTF8.GetString(name)));
            return _names.Count - 1;
        }
    }
}
