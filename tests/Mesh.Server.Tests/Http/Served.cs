using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Mesh.Server.Tests.Http;

/// <summary>What an application was called with.</summary>
internal sealed record Served(string Method, string Path, string Query, string Host, string RawTarget, Dictionary<string, string> Headers)
{
    public static Served Of(HttpContext context) => new(
        context.Request.Method,
        context.Request.Path.Value!,
        context.Request.QueryString.Value!,
        context.Request.Host.Value!,
        context.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget,
        context.Request.Headers.ToDictionary(h => h.Key, h => string.Join('|', h.Value.ToArray()), StringComparer.OrdinalIgnoreCase));
}
