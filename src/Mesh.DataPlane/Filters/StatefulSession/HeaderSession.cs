using System.Text;
using Mesh.Filters;

namespace Mesh.DataPlane.Filters.StatefulSession;

/// <summary>A session kept in a header: the address in base64, which callers send back.</summary>
internal sealed class HeaderSession(string name) : SessionState
{
    public override string? Read(HttpExchange exchange)
        => exchange.RequestHeaders.TryGet(name, out var value) && FromBase64(value) is { Length: > 0 } address ? Encoding.UTF8.GetString(address) : null;

    public override void Write(HttpExchange exchange, string address) => exchange.ResponseHeaders.Set(name, ToBase64(address));
}
