using System.Text.Json.Serialization;

namespace Mesh.ControlPlane.Security;

/// <summary>What an authority of the control plane's own making remembers: its file <c>authority.json</c>.</summary>
internal sealed record AuthorityState
{
    /// <summary>Who signs.</summary>
    public required AuthorityRoot Active { get; init; }

    /// <summary>Who will sign.</summary>
    public AuthorityRoot? Next { get; init; }

    /// <summary>When <see cref="Next"/> was announced.</summary>
    public DateTimeOffset? AnnouncedAt { get; init; }

    /// <summary>Who no longer signs and is still trusted. Their keys are gone.</summary>
    public IReadOnlyList<RetiredRoot> Retired { get; init; } = [];

    /// <summary>Does not tell the keys.</summary>
    public override string ToString() => $"{1 + (Next is null ? 0 : 1) + Retired.Count} roots";
}

/// <summary>A root with its key, in PEM.</summary>
internal sealed record AuthorityRoot(string Certificate, string Key)
{
    public override string ToString() => "a root";
}

/// <summary>A root that is trusted until all that it signed has expired.</summary>
internal sealed record RetiredRoot(string Certificate, DateTimeOffset Until);

[JsonSourceGenerationOptions(WriteIndented = true, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(AuthorityState))]
internal sealed partial class AuthorityJson : JsonSerializerContext;
