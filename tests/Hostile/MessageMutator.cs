using System.Collections;
using Google.Protobuf;
using Google.Protobuf.Reflection;
using Google.Protobuf.WellKnownTypes;

namespace Mesh.Hostile;

/// <summary>Changes valid messages into hostile ones: any field, anywhere, takes an extreme, a senseless or a dangerous value. The same seed does the same.</summary>
/// <param name="random">Decides.</param>
/// <param name="extensions">What an <c>Any</c> may hold.</param>
internal sealed class MessageMutator(Random random, params MessageDescriptor[] extensions)
{
    private const int MaxDepth = 4;

    private static readonly string[] Texts =
    [
        "", "a", "/", "/a", "//", "//evil.example/", "/a b", "/a?b=c#d", "*", "*.a", "a*b", "reviews", "ratings", "reviews.default.svc.cluster.local", "v1", "v2", "outbound|9080||reviews.default.svc.cluster.local",
        "\r\nevil: 1", "a\r\n\r\nGET /evil HTTP/1.1", "a\nb", "\0", "é", "日本", "\u2028", "\u007f", "a b", " ", "\t", "a:b", ":path", ":authority", ":method", "host", "Host", "content-length", "transfer-encoding", "connection", "set-cookie", "x-a",
        "%REQ(x-a)%", "%REQ(", "%", "%%", "50%", "%PREFIX()%", "%RESPONSE_CODE%", "%DOWNSTREAM_REMOTE_ADDRESS%", "%DYNAMIC_METADATA(a:b)%", "\\1", "\\9", "\\",
        "10.0.0.1", "::1", "[::1]", "10.0.0.1:80", "fe80::1%eth0", "10.0.0.0/33", "0.0.0.0", "127.0.0.1", "256.1.1.1", "http", "https", "HTTP", "ftp", "GET", "get", "G T", "5xx", "5xx,503,999", "retriable-4xx,bogus", "mesh", "~", ".", "default", "UNAVAILABLE",
        "(", "(a)\\1", "((a{100}){100}){100}", "(a*)*b", ".*", "^/(a)(b)?$", "[", "(?=a)", "\\C", "\\pL", "x{1001}", "(?P<n>a)(?P<n>b)", "unix:///tmp/x", "NaN", "-1", "1e309", "99999999999999999999",
    ];

    private static readonly long[] Numbers =
    [
        0, 1, 2, 3, -1, 10, 50, 70, 30, 99, 100, 101, 140, 200, 204, 304, 418, 500, 503, 599, 600, 999, 1000, 1023, 1024, 9080, 65535, 65536, 65537, 1_000_000, 1_000_000_000, 5_000_011, 8_388_608,
        int.MaxValue, int.MinValue, uint.MaxValue, (long)uint.MaxValue + 1, long.MaxValue, long.MinValue,
    ];

    private static readonly double[] Reals = [0, -0.0, 0.5, 1, 1.5, 50, 99.9999999, 100, 100.0001, -1, -1e-300, 5e-324, 1e-9, 1e9, 1e308, double.NaN, double.PositiveInfinity, double.NegativeInfinity];

    private static readonly (long Seconds, int Nanos)[] Durations =
    [
        (0, 0), (0, 1), (0, 999_999), (0, 1_000_000), (0, 500_000_000), (1, 0), (1, 500_000), (3, 0), (30, 0), (3600, 0), (-1, 0), (0, -1), (-1, -500_000_000), (4_294_967, 0), (4_294_968, 0), (2_147_483, 648_000_000), (922_337_203_685, 0), (922_337_203_686, 0),
        (315_576_000_000, 999_999_999), (-315_576_000_000, 0), (315_576_000_001, 0), (long.MaxValue, 0), (long.MinValue, 0), (1, -1), (-1, 1), (0, 1_000_000_000), (0, int.MaxValue), (0, int.MinValue),
    ];

    /// <summary>What was done, for the message of a failure.</summary>
    public List<string> Done { get; } = [];

    /// <summary>Changes <paramref name="message"/> in <paramref name="times"/> places.</summary>
    public void Mutate(IMessage message, int times)
    {
        Done.Clear();
        for (var i = 0; i < times; i++)
        {
            var places = new List<(IMessage Message, string Path, Action Repack)>();
            Collect(message, "", static () => { }, places, 0);
            var (target, path, repack) = places[random.Next(places.Count)];
            MutateField(target, path);
            repack();
        }
    }

    private static void Collect(IMessage message, string path, Action repack, List<(IMessage Message, string Path, Action Repack)> places, int depth)
    {
        places.Add((message, path, repack));
        if (depth > 24)
        {
            return;
        }

        if (message is Any any)
        {
            var type = KnownTypes.FirstOrDefault(t => any.Is(t));
            if (type is not null && TryParse(type, any.Value) is { } inner)
            {
                Collect(inner, path + "<" + type.Name + ">", () => { any.Value = inner.ToByteString(); repack(); }, places, depth + 1);
            }

            return;
        }

        foreach (var field in message.Descriptor.Fields.InDeclarationOrder())
        {
            var value = field.Accessor.GetValue(message);
            var items = value switch
            {
                IDictionary map => map.Values.OfType<IMessage>(),
                IList list => list.OfType<IMessage>(),
                IMessage single => [single],
                _ => [],
            };
            var index = 0;
            foreach (var item in items)
            {
                Collect(item, $"{path}.{field.Name}{(field.IsRepeated ? $"[{index++}]" : "")}", repack, places, depth + 1);
            }
        }
    }

    private static MessageDescriptor[] KnownTypes { get; set; } = [];

    private static IMessage? TryParse(MessageDescriptor type, ByteString bytes)
    {
        try
        {
            return type.Parser.ParseFrom(bytes);
        }
        catch (InvalidProtocolBufferException)
        {
            return null;
        }
    }

    private void MutateField(IMessage message, string path)
    {
        KnownTypes = extensions;
        if (message is Duration duration)
        {
            (duration.Seconds, duration.Nanos) = Durations[random.Next(Durations.Length)];
            Done.Add($"{path} = {duration.Seconds}s {duration.Nanos}ns");
            return;
        }

        if (message is Any any)
        {
            Fill(any, 0);
            Done.Add($"{path} = {any.TypeUrl}");
            return;
        }

        var fields = message.Descriptor.Fields.InDeclarationOrder();
        if (fields.Count == 0)
        {
            return;
        }

        var field = fields[random.Next(fields.Count)];
        if (random.Next(6) == 0)
        {
            field.Accessor.Clear(message);
            Done.Add($"{path}.{field.Name} cleared");
            return;
        }

        if (field.IsRepeated && !field.IsMap && field.Accessor.GetValue(message) is IList { Count: > 0 } list && random.Next(3) == 0)
        {
            // The same thing twice.
            var item = list[random.Next(list.Count)]!;
            list.Add(item is IMessage copied ? copied.Descriptor.Parser.ParseFrom(copied.ToByteString()) : item);
            Done.Add($"{path}.{field.Name} repeats an item");
            return;
        }

        Set(message, field, 0);
        Done.Add($"{path}.{field.Name} = {Show(field.Accessor.GetValue(message))}");
    }

    private static string Show(object? value)
    {
        try
        {
            return value?.ToString() is { } text ? text.Length > 200 ? text[..200] + "…" : text : "null";
        }
        catch (InvalidOperationException)
        {
            return "what has no form in JSON";
        }
    }

    private void Set(IMessage message, FieldDescriptor field, int depth)
    {
        if (field.IsMap)
        {
            var map = (IDictionary)field.Accessor.GetValue(message);
            var key = Value(field.MessageType.FindFieldByNumber(1), depth);
            var value = Value(field.MessageType.FindFieldByNumber(2), depth);
            if (key is not null && value is not null)
            {
                map[key] = value;
            }
        }
        else if (field.IsRepeated)
        {
            var list = (IList)field.Accessor.GetValue(message);
            for (var count = random.Next(1, 4); count > 0; count--)
            {
                if (Value(field, depth) is { } item)
                {
                    list.Insert(random.Next(list.Count + 1), item);
                }
            }
        }
        else if (Value(field, depth) is { } value)
        {
            field.Accessor.SetValue(message, value);
        }
    }

    private object? Value(FieldDescriptor field, int depth)
    {
        switch (field.FieldType)
        {
            case FieldType.Message when field.MessageType.File.Name == "google/protobuf/wrappers.proto":
                return Value(field.MessageType.FindFieldByNumber(1), depth);
            case FieldType.Message:
                var message = field.MessageType.Parser.ParseFrom(ByteString.Empty);
                Fill(message, depth + 1);
                return message;
            case FieldType.String:
                return random.Next(60) == 0 ? new string('x', 100_000) : Texts[random.Next(Texts.Length)];
            case FieldType.Bytes:
                return random.Next(2) == 0 ? ByteString.Empty : ByteString.CopyFrom(0, 255, 13, 10);
            case FieldType.Bool:
                return random.Next(2) == 0;
            case FieldType.Enum:
                var values = field.EnumType.Values;
                var chosen = random.Next(values.Count + 1);
                return System.Enum.ToObject(field.EnumType.ClrType, chosen == values.Count ? 99 : values[chosen].Number);
            case FieldType.Double:
                return Reals[random.Next(Reals.Length)];
            case FieldType.Float:
                return (float)Reals[random.Next(Reals.Length)];
            case FieldType.Int32 or FieldType.SInt32 or FieldType.SFixed32:
                return unchecked((int)Numbers[random.Next(Numbers.Length)]);
            case FieldType.UInt32 or FieldType.Fixed32:
                return unchecked((uint)Numbers[random.Next(Numbers.Length)]);
            case FieldType.Int64 or FieldType.SInt64 or FieldType.SFixed64:
                return Numbers[random.Next(Numbers.Length)];
            case FieldType.UInt64 or FieldType.Fixed64:
                return unchecked((ulong)Numbers[random.Next(Numbers.Length)]);
            default:
                return null;
        }
    }

    private void Fill(IMessage message, int depth)
    {
        switch (message)
        {
            case Duration duration:
                (duration.Seconds, duration.Nanos) = Durations[random.Next(Durations.Length)];
                return;
            case Any any when extensions.Length > 0 && random.Next(8) > 0:
                var inner = extensions[random.Next(extensions.Length)].Parser.ParseFrom(ByteString.Empty);
                Fill(inner, depth + 1);
                any.TypeUrl = "type.googleapis.com/" + inner.Descriptor.FullName;
                any.Value = inner.ToByteString();
                return;
            case Any any:
                any.TypeUrl = "type.googleapis.com/no.such.Type";
                any.Value = ByteString.CopyFrom(0xff, 0xff, 0xff);
                return;
        }

        if (depth > MaxDepth)
        {
            return;
        }

        foreach (var field in message.Descriptor.Fields.InDeclarationOrder())
        {
            if (random.Next(message.Descriptor.Fields.InDeclarationOrder().Count) < 3)
            {
                Set(message, field, depth);
            }
        }
    }
}
