namespace Mesh.DataPlane.Dns;

/// <summary>How a server answered (RFC 1035, section 4.1.1; the upper bits are RFC 6891's).</summary>
internal enum DnsResponseCode : ushort
{
    NoError = 0,
    FormatError = 1,
    ServerFailure = 2,
    NameError = 3,
    NotImplemented = 4,
    Refused = 5,
    BadVersion = 16,
}
