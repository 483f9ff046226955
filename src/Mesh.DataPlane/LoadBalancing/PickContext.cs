namespace Mesh.DataPlane.LoadBalancing;

/// <summary>What a pick knows of the request: its draw, and what narrows or steers the choice.</summary>
internal readonly struct PickContext(ulong draw)
{
    public ulong Draw { get; init; } = draw;

    /// <summary>Some hash policy of the route found what it hashes.</summary>
    public bool HasHash { get; init; }

    /// <summary>The hash of the route's hash policies, for ring hash and Maglev.</summary>
    public ulong Hash { get; init; }

    /// <summary>What consistent hashing places the request by: without a hash it goes anywhere.</summary>
    public ulong HashOrDraw => HasHash ? Hash : Draw;

    /// <summary>How often a host has been selected for this attempt before (Envoy's host-selection retries); consistent hashing moves on by it.</summary>
    public uint Attempt { get; init; }

    /// <summary>Priorities, as bits, that earlier attempts have been at (<c>envoy.retry_priorities.previous_priorities</c>).</summary>
    public uint ExcludedPriorities { get; init; }

    /// <summary>The <c>ip:port</c> that a session sticks to.</summary>
    public string? OverrideHost { get; init; }

    /// <summary>When that host may not be used, use none.</summary>
    public bool OverrideHostIsStrict { get; init; }

    /// <summary>Nothing is sent: whatever turns hosts take stays where it is.</summary>
    public bool IsRehearsal { get; init; }

    /// <summary>The same pick with the next number of its sequence.</summary>
    public PickContext Next() => this with { Draw = LoadBalancing.Draw.Next(Draw) };
}
