using System.Text;
using Mesh.Filters;

namespace Mesh.DataPlane.Filters.StatefulSession;

/// <summary>Where a session keeps the address of its endpoint.</summary>
internal abstract class SessionState
{
    /// <summary>The address that a request brings along; <see langword="null"/> when it brings none that is valid.</summary>
    public abstract string? Read(HttpExchange exchange);

    /// <summary>Whether requests of this kind have a session at all.</summary>
    public virtual bool AppliesTo(HttpExchange exchange) => true;

    /// <summary>Tells the caller the address of the endpoint that has answered.</summary>
    public abstract void Write(HttpExchange exchange, string address);

    /// <summary>Base64 by the letter, in which Envoy writes what it hands to callers; <see langword="null"/> when the text is none.</summary>
    protected static byte[]? FromBase64(string text)
    {
        var bytes = new byte[(text.Length * 3 / 4) + 3];
        return Convert.TryFromBase64String(text, bytes, out var length) ? bytes[..length] : null;
    }

    protected static string ToBase64(string text) => Convert.ToBase64String(Encoding.UTF8.GetBytes(text));
}
