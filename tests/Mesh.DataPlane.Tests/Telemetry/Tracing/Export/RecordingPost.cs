using Mesh.DataPlane.Telemetry.Tracing.Export;

namespace Mesh.DataPlane.Tests.Telemetry.Tracing.Export;

/// <summary>Keeps what was posted last.</summary>
internal sealed class RecordingPost(byte[]? answer = null) : ISpanPost
{
    public string Address => "the test";

    public byte[] Body { get; private set; } = [];

    public string ContentType { get; private set; } = "";

    public IDisposable? Begin() => null;

    public Task<byte[]> PostAsync(byte[] body, string contentType, CancellationToken cancellationToken)
    {
        (Body, ContentType) = (body, contentType);
        return Task.FromResult(answer ?? []);
    }
}
