using System.Security.Authentication;

namespace Mesh.DataPlane.Tls;

/// <summary>A connection on which TLS was to be spoken is none. Nothing has been sent on it.</summary>
/// <param name="reason">Envoy's transport failure reason, between its <c>TLS_error:|</c> and <c>:TLS_error_end</c>.</param>
/// <param name="explanation">What is wrong, for people.</param>
/// <param name="inner">What the framework says.</param>
internal sealed class TlsFailureException(string reason, string explanation, Exception? inner = null) : AuthenticationException(explanation, inner)
{
    /// <summary>Envoy's transport failure reason, between its <c>TLS_error:|</c> and <c>:TLS_error_end</c>.</summary>
    public string Reason { get; } = reason;
}
