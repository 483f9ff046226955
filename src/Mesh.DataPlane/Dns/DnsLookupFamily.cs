namespace Mesh.DataPlane.Dns;

/// <summary>Which addresses of a name are asked for (Envoy's <c>dns_lookup_family</c>).</summary>
internal enum DnsLookupFamily
{
    /// <summary>IPv6, and IPv4 when there are none.</summary>
    Auto,

    V4Only,
    V6Only,

    /// <summary>IPv4, and IPv6 when there are none.</summary>
    V4Preferred,

    /// <summary>Both at once.</summary>
    All,
}
