using Mesh.DataPlane.Matching;

namespace Mesh.DataPlane.Filters.ExtAuthz;

/// <summary>A listener's <c>ExtAuthz</c>, compiled.</summary>
internal sealed record ExtAuthzSettings
{
    public required IAuthorizer Authorizer { get; init; }

    /// <summary>By what it is known among metrics, beside its connection manager; empty for nothing.</summary>
    public string StatPrefix { get; init; } = "";

    /// <summary>Whoever cannot be checked passes.</summary>
    public bool FailureModeAllow { get; init; }

    /// <summary>Such requests are marked by <c>x-envoy-auth-failure-mode-allowed</c>.</summary>
    public bool MarksFailureModeAllow { get; init; }

    /// <summary>Otherwise this is their status.</summary>
    public int StatusOnError { get; init; } = 403;

    /// <summary>The body that is sent along; <see langword="null"/> for none.</summary>
    public BodySettings? Body { get; init; }

    /// <summary>What the authorizer changes may change the route.</summary>
    public bool ClearsRouteCache { get; init; }

    /// <summary>The share of requests that is checked; <see langword="null"/> for all.</summary>
    public Fraction? Enabled { get; init; }

    /// <summary>Which requests are checked, by what filters have said of them; <see langword="null"/> for all.</summary>
    public MetadataMatcher? EnabledMetadata { get; init; }

    /// <summary>What is not checked is refused.</summary>
    public bool DeniesAtDisable { get; init; }

    public ContextSettings Context { get; init; } = new();

    public MutationRules? RequestRules { get; init; }

    /// <summary>A change that cannot be made is a failure, and not just left out.</summary>
    public bool ValidatesMutations { get; init; }

    /// <summary>The authorizer may leave dynamic metadata.</summary>
    public bool TakesMetadata { get; init; } = true;

    /// <summary>The longest body of a refusal that is handed on; 0 for any.</summary>
    public int MaxDeniedBytes { get; init; }
}
