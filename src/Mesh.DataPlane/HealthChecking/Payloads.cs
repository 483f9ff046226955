namespace Mesh.DataPlane.HealthChecking;

/// <summary>Envoy's fuzzy match of an answer: every block must be found, in the order given, with anything between them.</summary>
internal static class Payloads
{
    public static bool Match(IReadOnlyList<byte[]> blocks, ReadOnlySpan<byte> answer)
    {
        foreach (var block in blocks)
        {
            var at = answer.IndexOf(block);
            if (at < 0)
            {
                return false;
            }

            answer = answer[(at + block.Length)..];
        }

        return true;
    }
}
