namespace Mesh.Xds.Validation;

/// <summary>The published validation rules of the messages that this assembly carries; read once, when the first message is validated.</summary>
internal static class WireRules
{
    public const string ResourceName = "Mesh.Xds.Validation.wire-rules.txt";

    private static readonly Lazy<IReadOnlyDictionary<string, MessageRules>> All = new(Load);

    /// <summary>The rules of a message, or <see langword="null"/> when none is published.</summary>
    public static MessageRules? Of(string message) => All.Value.GetValueOrDefault(message);

    private static Dictionary<string, MessageRules> Load()
    {
        using var stream = typeof(WireRules).Assembly.GetManifestResourceStream(ResourceName)
            ?? throw new InvalidOperationException($"the resource {ResourceName} is not in the assembly");
        using var reader = new StreamReader(stream);
        var all = new Dictionary<string, MessageRules>(StringComparer.Ordinal);
        MessageRules? current = null;
        while (reader.ReadLine() is { } line)
        {
            if (line[0] != ' ')
            {
                all.Add(line, current = new MessageRules());
            }
            else if (line[1] == '!')
            {
                current!.RequiredOneofs.Add(line[2..]);
            }
            else
            {
                var end = line.IndexOf(' ', 1);
                current!.Fields.Add(line[1..end], FieldRulesParser.Parse(line[(end + 1)..]));
            }
        }

        return all;
    }
}
