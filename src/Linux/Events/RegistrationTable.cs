namespace Isolation.Linux;

/// <summary>
/// From the 64 bits that epoll gives back to the registration: a slot in the lower half, a generation in the upper. Slots
/// are used again, pairs are not (until 2^32 registrations later), so an event of the past finds nothing.
/// </summary>
internal sealed class RegistrationTable
{
    private readonly Lock _changing = new();
    private readonly Stack<int> _free = new();
    private Registration?[] _slots = new Registration?[64];
    private int _used;
    private uint _generation;

    internal int Count
    {
        get
        {
            lock (_changing) return _used - _free.Count;
        }
    }

    internal ulong Add(Registration registration)
    {
        lock (_changing)
        {
            if (!_free.TryPop(out int slot))
            {
                if (_used == _slots.Length)
                {
                    var larger = new Registration?[_slots.Length * 2];
                    _slots.CopyTo(larger, 0);
                    Volatile.Write(ref _slots, larger);
                }
                slot = _used++;
            }
            ulong token = (ulong)_generation++ << 32 | (uint)slot;
            registration.Token = token;
            Volatile.Write(ref _slots[slot], registration);
            return token;
        }
    }

    internal void Remove(ulong token)
    {
        int slot = (int)(uint)token;
        lock (_changing)
        {
            _slots[slot] = null;
            _free.Push(slot);
        }
    }

    /// <summary>
    /// Takes no lock: one reference is read, and it carries its own token, so slot and generation cannot be torn apart.
    /// An array that is being outgrown at the moment may still show a registration that has just been removed; that one
    /// knows it.
    /// </summary>
    internal Registration? Find(ulong token)
    {
        var slots = Volatile.Read(ref _slots);
        int slot = (int)(uint)token;
        if ((uint)slot >= (uint)slots.Length) return null;
        var registration = Volatile.Read(ref slots[slot]);
        return registration?.Token == token ? registration : null;
    }

    internal Registration[] All()
    {
        lock (_changing) return [.. _slots.OfType<Registration>()];
    }
}
