using System.Net.Http.Headers;
using Mesh.DataPlane.Headers;
using Mesh.DataPlane.Matching;

namespace Mesh.DataPlane.Upstream;

/// <summary>The headers of a response on its way to the caller.</summary>
internal sealed class ResponseHeaderMap(HttpResponseMessage response) : HeaderMap
{
    public override IEnumerable<string> Names
        => response.Headers.NonValidated.Select(h => h.Key).Concat(response.Content.Headers.NonValidated.Select(h => h.Key));

    public override bool Contains(HeaderName name) => Headers(name).NonValidated.Contains(name.Value);

    public override void Remove(HeaderName name) => Headers(name).Remove(name.Value);

    public override void Add(HeaderName name, string value) => Headers(name).TryAddWithoutValidation(name.Value, value);

    private HttpHeaders Headers(HeaderName name) => name.IsContentHeader ? response.Content.Headers : response.Headers;
}
