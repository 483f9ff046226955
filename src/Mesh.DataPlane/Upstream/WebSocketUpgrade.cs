namespace Mesh.DataPlane.Upstream;

/// <summary>
/// A WebSocket that its caller opens by an HTTP/1.1 upgrade goes to an HTTP/2 endpoint as an extended CONNECT (RFC 8441), as Envoy translates it.
/// The caller sees a response of HTTP/2, for which 200 means what 101 does for HTTP/1.1.
/// </summary>
internal static class WebSocketUpgrade
{
    private const string WebSocket = "websocket";

    /// <summary>Turns an upgrade into an extended CONNECT.</summary>
    /// <returns>What <see cref="Restore"/> needs; <see langword="null"/> when the request is no upgrade.</returns>
    public static string? Translate(HttpRequestMessage request)
    {
        if (request.Version.Major != 1
            || request.Method != HttpMethod.Get
            || !request.Headers.NonValidated.TryGetValues("Upgrade", out var protocol)
            || !WebSocket.Equals(protocol.ToString(), StringComparison.OrdinalIgnoreCase)
            || !request.Headers.NonValidated.TryGetValues("Sec-WebSocket-Key", out var key))
        {
            return null;
        }

        request.Method = HttpMethod.Connect;
        request.Headers.Protocol = WebSocket;
        request.Headers.Remove("Connection");
        request.Headers.Remove("Upgrade");
        request.Headers.Remove("Sec-WebSocket-Key");
        return key.ToString();
    }

    public static void Restore(HttpRequestMessage request, string key)
    {
        request.Method = HttpMethod.Get;
        request.Headers.Protocol = null;
        request.Headers.TryAddWithoutValidation("Connection", "Upgrade");
        request.Headers.TryAddWithoutValidation("Upgrade", WebSocket);
        request.Headers.TryAddWithoutValidation("Sec-WebSocket-Key", key);
    }
}
