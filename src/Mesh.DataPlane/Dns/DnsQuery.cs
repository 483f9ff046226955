namespace Mesh.DataPlane.Dns;

/// <summary>A look-up of a name's addresses.</summary>
/// <param name="Host">The name; one that ends in a dot is never searched for in other domains.</param>
/// <param name="Family">Which addresses.</param>
/// <param name="UseTcp">Never over UDP (Envoy's <c>use_tcp_for_dns_lookups</c>).</param>
internal readonly record struct DnsQuery(string Host, DnsLookupFamily Family, bool UseTcp = false);
