namespace Mesh.DataPlane.LoadBalancing.Hashing;

/// <summary>The 32-bit Mersenne Twister (C++'s <c>std::mt19937</c>): the sequence by which Envoy looks for a host that has capacity left.</summary>
internal ref struct MersenneTwister
{
    /// <summary>How many words of state it needs.</summary>
    public const int StateLength = 624;

    private const int Middle = 397;

    private readonly Span<uint> _state;
    private int _index;

    public MersenneTwister(Span<uint> state, uint seed)
    {
        _state = state;
        _index = StateLength;
        state[0] = seed;
        for (var i = 1; i < StateLength; i++)
        {
            state[i] = (0x6C078965 * (state[i - 1] ^ (state[i - 1] >> 30))) + (uint)i;
        }
    }

    public uint Next()
    {
        if (_index == StateLength)
        {
            Twist();
        }

        var y = _state[_index++];
        y ^= y >> 11;
        y ^= (y << 7) & 0x9D2C5680;
        y ^= (y << 15) & 0xEFC60000;
        return y ^ (y >> 18);
    }

    /// <summary>A number below <paramref name="bound"/>, by rejection.</summary>
    public uint Next(uint bound)
    {
        var width = (1UL << 32) / bound;
        uint number;
        do
        {
            number = (uint)(Next() / width);
        }
        while (number >= bound);
        return number;
    }

    private void Twist()
    {
        for (var i = 0; i < StateLength; i++)
        {
            var y = (_state[i] & 0x80000000) | (_state[(i + 1) % StateLength] & 0x7FFFFFFF);
            _state[i] = _state[(i + Middle) % StateLength] ^ (y >> 1) ^ ((y & 1) * 0x9908B0DF);
        }

        _index = 0;
    }
}
