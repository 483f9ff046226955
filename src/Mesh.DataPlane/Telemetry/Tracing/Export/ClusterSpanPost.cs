using System.Net.Http.Headers;
using Mesh.DataPlane.Calls;
using Mesh.DataPlane.Formatting;
using Mesh.DataPlane.Headers;

namespace Mesh.DataPlane.Telemetry.Tracing.Export;

/// <summary>Posts spans to a cluster of the mesh: its endpoints, its TLS, its limits; past routes, filters and signals.</summary>
internal sealed class ClusterSpanPost(Func<IClusterCalls?> calls, ClusterTarget target, Uri uri, HeaderAddition[] headers, TimeProvider time) : ISpanPost
{
    private const int MaxResponseBytes = 64 * 1024;

    public string Address => $"{uri} (cluster {target.Cluster})";

    public IDisposable? Begin() => HeldCluster.Hold(calls(), target);

    public async Task<byte[]> PostAsync(byte[] body, string contentType, CancellationToken cancellationToken)
    {
        var way = calls() ?? throw new InvalidOperationException("this process has no engine that could ask clusters");
        using var request = new HttpRequestMessage(HttpMethod.Post, uri) { Content = new ByteArrayContent(body) };
        request.Content.Headers.ContentType = new MediaTypeHeaderValue(contentType);
        foreach (var header in headers)
        {
            if (header.Value.Render(new FormatContext(time)) is { Length: > 0 } value)
            {
                request.Headers.TryAddWithoutValidation(header.Name.Value, value);
            }
        }

        using var response = await way.SendAsync(target, request, MaxResponseBytes, cancellationToken).ConfigureAwait(false);
        response.EnsureSuccessStatusCode();
        return await response.Content.ReadAsByteArrayAsync(cancellationToken).ConfigureAwait(false);
    }
}
