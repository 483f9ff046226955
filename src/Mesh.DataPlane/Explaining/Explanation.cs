namespace Mesh.DataPlane.Explaining;

/// <summary>Why a request goes where it goes.</summary>
/// <param name="Request">The request: <c>GET reviews:9080/reviews/0</c>.</param>
/// <param name="Draw">The random draw, in hexadecimal digits: with the same one the answer is the same as long as nothing changes.</param>
/// <param name="Verdict">Where it goes, in one line.</param>
/// <param name="Lines">The way there in plain words.</param>
internal sealed record Explanation(string Request, string Draw, string Verdict, IReadOnlyList<string> Lines)
{
    /// <summary>What is known of the listener and its routes; <see langword="null"/> when the host is none of the mesh's.</summary>
    public HostDump? Host { get; init; }

    public string? VirtualHost { get; init; }

    /// <summary>Every route up to the chosen one, each with what it asks for that the request is not.</summary>
    public IReadOnlyList<RouteVerdict> Routes { get; init; } = [];

    /// <summary>The listener's filters on this route.</summary>
    public IReadOnlyList<FilterVerdict> Filters { get; init; } = [];

    /// <summary>What the route does with the request beside that.</summary>
    public IReadOnlyList<string> Policies { get; init; } = [];

    /// <summary>The sides of the split; one where there is none.</summary>
    public IReadOnlyList<WeightDump> Clusters { get; init; } = [];

    public string? Cluster { get; init; }

    /// <summary>The cluster's endpoints, those that cannot be picked with why.</summary>
    public IReadOnlyList<Candidate> Candidates { get; init; } = [];

    /// <summary>The endpoint; <see langword="null"/> when there is none.</summary>
    public string? Endpoint { get; init; }

    /// <summary>When it was decided; <see langword="null"/> for a request that nobody sends.</summary>
    public DateTimeOffset? At { get; init; }

    /// <summary>Whether deciding again by the same snapshot, request and draw leads to the same route and cluster; <see langword="null"/> for a request that nobody sends.</summary>
    public bool? ReplayAgrees { get; init; }
}
