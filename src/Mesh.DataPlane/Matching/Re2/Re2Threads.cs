namespace Mesh.DataPlane.Matching.Re2;

/// <summary>The states of a simulation at one place of the text, in order of preference, each with the groups that led to it.</summary>
internal sealed class Re2Threads(int capacity, int slots)
{
    private readonly int[] _dense = new int[capacity];
    private readonly int[] _sparse = new int[capacity];
    private readonly int[] _groups = new int[capacity * slots];

    public int Count { get; private set; }

    public int this[int index] => _dense[index];

    public Span<int> Groups(int state) => _groups.AsSpan(state * slots, slots);

    /// <summary>False when the state is there already, and so preferred.</summary>
    public bool TryAdd(int state)
    {
        var at = _sparse[state];
        if (at < Count && _dense[at] == state)
        {
            return false;
        }

        _sparse[state] = Count;
        _dense[Count++] = state;
        return true;
    }

    public void Clear() => Count = 0;
}
