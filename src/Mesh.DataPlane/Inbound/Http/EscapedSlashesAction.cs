namespace Mesh.DataPlane.Inbound.Http;

/// <summary>Envoy's <c>PathWithEscapedSlashesAction</c>: what becomes of <c>%2F</c> and <c>%5C</c> in a path.</summary>
internal enum EscapedSlashesAction
{
    Keep,
    Reject,
    UnescapeAndRedirect,
    UnescapeAndForward,
}
