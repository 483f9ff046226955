using Mesh.DataPlane.Headers;
using Mesh.DataPlane.Matching;
using Microsoft.AspNetCore.Http;

namespace Mesh.Server.Http;

/// <summary>The headers of a message as the mutations of a route change them.</summary>
internal sealed class MessageHeaderMap(IHeaderDictionary headers, bool isResponse) : HeaderMap
{
    public override IEnumerable<string> Names => headers.Keys;

    public override bool Contains(HeaderName name) => headers.ContainsKey(name.Value);

    public override void Remove(HeaderName name) => headers.Remove(name.Value);

    public override void Add(HeaderName name, string value)
    {
        if (!isResponse || Sendable(value))
        {
            headers.Append(name.Value, value);
        }
    }

    /// <summary>Whether the server would send it: it fails on any other character, and the response with it.</summary>
    public static bool Sendable(ReadOnlySpan<char> value) => !value.ContainsAnyExceptInRange('\t', '~');
}
