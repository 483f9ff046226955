using System.IO.Pipelines;

namespace Mesh.Client.Tests.Hostile;

internal static class Pipes
{
    /// <summary>A stream that can be read once, and not sought in.</summary>
    public static Stream Fill(this Pipe pipe, byte[] bytes)
    {
        using (var stream = pipe.Writer.AsStream())
        {
            stream.Write(bytes);
        }

        return pipe.Reader.AsStream();
    }
}
