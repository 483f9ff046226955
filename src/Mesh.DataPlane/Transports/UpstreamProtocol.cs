namespace Mesh.DataPlane.Transports;

/// <summary>The version of HTTP that a cluster speaks, whatever the caller asked for.</summary>
internal enum UpstreamProtocol
{
    Http11,

    /// <summary>HTTP/2, in clear text by prior knowledge.</summary>
    Http2,

    /// <summary>What the caller uses (Envoy's <c>use_downstream_protocol_config</c>).</summary>
    Downstream,

    /// <summary>HTTP/2 where the endpoint chooses it in the TLS handshake, else HTTP/1.1 (Envoy's <c>auto_config</c>).</summary>
    Automatic,
}
