namespace Mesh.DataPlane.Dns;

/// <summary>The record types that a look-up of addresses meets (RFC 1035, RFC 3596, RFC 6891).</summary>
internal enum DnsRecordType : ushort
{
    A = 1,
    CName = 5,
    Soa = 6,
    Aaaa = 28,
    Opt = 41,
}
