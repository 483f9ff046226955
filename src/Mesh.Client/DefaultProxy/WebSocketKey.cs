using System.Security.Cryptography;
using System.Text;

namespace Mesh.Client.DefaultProxy;

/// <summary>The proof that a server has read a WebSocket's opening (RFC 6455, section 4.2.2).</summary>
internal static class WebSocketKey
{
    private const string Suffix = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

#pragma warning disable CA5350 // The algorithm is the RFC's, and nothing is secret.
    public static string Accept(string key) => Convert.ToBase64String(SHA1.HashData(Encoding.ASCII.GetBytes(key + Suffix)));
#pragma warning restore CA5350
}
