namespace Mesh.DataPlane.Inbound.Http;

/// <summary>What one look over the headers of a request has found: nearly always nothing that anything has to be done about.</summary>
internal struct HeaderScan
{
    private const string EnvoyPrefix = "x-envoy-";
    private const string ForwardedPrefix = "x-forwarded-";

    /// <summary>How many lines there are.</summary>
    public int Count { get; private set; }

    /// <summary>How long names and values are together.</summary>
    public int Length { get; private set; }

    /// <summary>Names with an underscore.</summary>
    public List<string>? Underscores { get; private set; }

    /// <summary>Names that begin with <c>x-envoy-</c> and are not for everybody to send.</summary>
    public List<string>? Envoy { get; private set; }

    public bool HasForwardedFor { get; private set; }

    public bool HasForwardedProto { get; private set; }

    public bool HasForwardedClientCert { get; private set; }

    public bool HasRequestId { get; private set; }

    /// <param name="name">The header.</param>
    /// <param name="lines">How often it was sent.</param>
    /// <param name="length">How long its values are together.</param>
    public void Add(string name, int lines, int length)
    {
        Count += lines;
        Length += (name.Length * lines) + length;
        if (name.Contains('_'))
        {
            (Underscores ??= []).Add(name);
        }

        if (name.Length < EnvoyPrefix.Length || (name[0] | 0x20) != 'x' || name[1] != '-')
        {
            return;
        }

        if (name.StartsWith(EnvoyPrefix, StringComparison.OrdinalIgnoreCase))
        {
            if (EnvoyHeaders.MayBeRemoved(name))
            {
                (Envoy ??= []).Add(name);
            }
        }
        else if (name.StartsWith(ForwardedPrefix, StringComparison.OrdinalIgnoreCase))
        {
            var rest = name.AsSpan(ForwardedPrefix.Length);
            HasForwardedFor |= rest.Equals("for", StringComparison.OrdinalIgnoreCase);
            HasForwardedProto |= rest.Equals("proto", StringComparison.OrdinalIgnoreCase);
            HasForwardedClientCert |= rest.Equals("client-cert", StringComparison.OrdinalIgnoreCase);
        }
        else
        {
            HasRequestId |= name.Equals("x-request-id", StringComparison.OrdinalIgnoreCase);
        }
    }
}
