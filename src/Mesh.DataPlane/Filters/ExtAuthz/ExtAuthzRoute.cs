namespace Mesh.DataPlane.Filters.ExtAuthz;

/// <summary>What one level of a route says (<c>ExtAuthzPerRoute</c>).</summary>
/// <param name="Disabled">Nothing is checked.</param>
internal sealed record ExtAuthzRoute(bool Disabled)
{
    /// <summary>Told to the authorizer, together with those of the levels above.</summary>
    public IReadOnlyDictionary<string, string> ContextExtensions { get; init; } = new Dictionary<string, string>(StringComparer.Ordinal);

    /// <summary>The body is not sent, whatever the listener says.</summary>
    public bool SkipsBody { get; init; }

    public BodySettings? Body { get; init; }

    /// <summary>Who is asked instead of the listener's authorizer.</summary>
    public IAuthorizer? Authorizer { get; init; }
}
