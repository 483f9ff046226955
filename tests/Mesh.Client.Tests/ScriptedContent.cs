using System.Net;

namespace Mesh.Client.Tests;

/// <summary>A request body of unknown length that a test writes.</summary>
internal sealed class ScriptedContent(Func<Stream, Task> write) : HttpContent
{
    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) => write(stream);

    protected override bool TryComputeLength(out long length)
    {
        length = 0;
        return false;
    }
}
