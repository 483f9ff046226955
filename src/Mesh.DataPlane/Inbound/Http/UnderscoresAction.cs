namespace Mesh.DataPlane.Inbound.Http;

/// <summary>Envoy's <c>HeadersWithUnderscoresAction</c>: some servers read <c>a_b</c> and <c>a-b</c> as one header.</summary>
internal enum UnderscoresAction
{
    Allow,
    Reject,
    Drop,
}
