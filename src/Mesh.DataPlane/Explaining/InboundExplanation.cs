namespace Mesh.DataPlane.Explaining;

/// <summary>What would become of a request that comes in.</summary>
/// <param name="Request">The request and its caller.</param>
/// <param name="Verdict"><c>allowed</c> or <c>denied</c>, and by what, in one line.</param>
/// <param name="IsAllowed">Whether it reaches the application, as far as can be said without sending it.</param>
/// <param name="Lines">The way there in plain words.</param>
internal sealed record InboundExplanation(string Request, string Verdict, bool IsAllowed, IReadOnlyList<string> Lines)
{
    /// <summary>The port that it comes in by.</summary>
    public string? Listener { get; init; }

    public string? Chain { get; init; }

    public string? VirtualHost { get; init; }

    public string? Route { get; init; }

    /// <summary>Who decides on the connection.</summary>
    public IReadOnlyList<FilterVerdict> ConnectionFilters { get; init; } = [];

    /// <summary>Who decides on the request, in their order; those after the first that denies are not asked.</summary>
    public IReadOnlyList<FilterVerdict> Filters { get; init; } = [];
}
