using System.Text;

namespace Mesh.DataPlane.Tests.Decoding.Fields;

/// <summary>What a walk has found, written down: by message, then by what becomes of its fields.</summary>
internal static class FieldTable
{
    public static string Of(FieldWalk walk)
    {
        var table = new StringBuilder();
        foreach (var message in walk.Outcomes.GroupBy(o => o.Key[..o.Key.LastIndexOf('.')]))
        {
            table.Append(message.Key).Append('\n');
            foreach (var outcome in message.GroupBy(f => f.Value).OrderBy(f => f.Key))
            {
                table.Append("  ").Append(outcome.Key == FieldOutcome.Ignored ? "nothing to do" : outcome.Key.ToString().ToLowerInvariant()).Append(':');
                foreach (var field in outcome)
                {
                    table.Append(' ').Append(field.Key.AsSpan(message.Key.Length + 1));
                }

                table.Append('\n');
            }
        }

        return table.ToString();
    }
}
