namespace Mesh.DataPlane.Tls;

/// <summary>Which name a handshake asks for (SNI).</summary>
internal enum ServerNameSource
{
    /// <summary>The one that is given, or none.</summary>
    Given,

    /// <summary>That of the request: its Host, or another header (<c>auto_sni</c>).</summary>
    Request,

    /// <summary>The host name of the endpoint, else the one that is given (<c>auto_host_sni</c>).</summary>
    Endpoint,
}
