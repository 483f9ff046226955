namespace Mesh.DataPlane.Tcp;

/// <summary>How a listener looks at the first bytes of a connection.</summary>
internal sealed record InspectionSettings
{
    public static InspectionSettings Default { get; } = new();

    /// <summary>How long the first bytes are waited for, where the chain depends on them; infinite for as long as it takes.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>When that time is over, go on with what is known, in place of closing the connection.</summary>
    public bool ContinuesAfterTimeout { get; init; }

    /// <summary>The longest ClientHello that is read.</summary>
    public int MaxClientHello { get; init; } = ClientHello.MaxLength;

    /// <summary>What begins like TLS and breaks its rules is closed, in place of being carried as something else.</summary>
    public bool ClosesOnInvalidClientHello { get; init; }
}
