namespace Mesh.DataPlane.Inbound.Http;

/// <summary>Envoy's <c>ForwardClientCertDetails</c>.</summary>
internal enum ForwardedClientCertAction
{
    Sanitize,
    ForwardOnly,
    AppendForward,
    SanitizeSet,
    AlwaysForwardOnly,
}
