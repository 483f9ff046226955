namespace Mesh.DataPlane.Filters.ExtAuthz;

/// <summary>What an authorizer is told of a request.</summary>
internal sealed record ContextSettings
{
    /// <summary>The headers that are told; <see langword="null"/> for all.</summary>
    public HeaderKeys? Allowed { get; init; }

    /// <summary>Those of them that are not.</summary>
    public HeaderKeys Disallowed { get; init; } = HeaderKeys.None;

    /// <summary>Headers are told one by one, as bytes (<c>encode_raw_headers</c>).</summary>
    public bool RawHeaders { get; init; }

    /// <summary>The namespaces of dynamic metadata that are told.</summary>
    public IReadOnlyList<string> MetadataNamespaces { get; init; } = [];

    public bool IncludesPeerCertificate { get; init; }

    public bool IncludesTlsSession { get; init; }

    /// <summary>The destination's labels are this workload's.</summary>
    public bool IncludesLabels { get; init; }
}
