using System.Collections;
using Google.Protobuf;
using Google.Protobuf.Reflection;

namespace Mesh.ControlPlane.Config.Validation;

/// <summary>Warns of every field that is set and not honoured, once per field with its first place, and of deprecated ones.</summary>
internal sealed class HonouredFieldsAnalyzer(ValidationContext context)
{
    private readonly Dictionary<string, (string Place, string Message, int Count, bool Deprecated)> _found = new(StringComparer.Ordinal);
    private readonly List<string> _order = [];

    public void Analyze(IMessage message, HonouredFieldSet honoured)
    {
        Visit(message, honoured, "", "");
        foreach (var field in _order)
        {
            var (place, message1, count, deprecated) = _found[field];
            var more = count == 1 ? "" : $" (And {count - 1} more of this field in the document.)";
            if (deprecated)
            {
                context.Deprecated(place, message1 + more);
            }
            else
            {
                context.NotApplied(place, message1 + more);
            }
        }
    }

    private void Visit(IMessage message, HonouredFieldSet honoured, string field, string place)
    {
        foreach (var descriptor in message.Descriptor.Fields.InDeclarationOrder())
        {
            if (!IsSet(message, descriptor, out var value))
            {
                continue;
            }

            var name = field.Length == 0 ? descriptor.JsonName : $"{field}.{descriptor.JsonName}";
            var at = place.Length == 0 ? descriptor.JsonName : $"{place}.{descriptor.JsonName}";
            if (descriptor.GetOptions()?.Deprecated == true)
            {
                Note($"{name} deprecated", at, "is deprecated by Istio.", deprecated: true);
            }

            var child = honoured.All ? honoured : honoured.Find(descriptor.JsonName);
            if (child is null)
            {
                Note(name, at, $"accepted, but not yet applied by this version{(honoured.InsteadOf(descriptor.JsonName) is { } instead ? $": {instead}" : "")}.", deprecated: false);
            }
            else if (child.Values is not null)
            {
                CheckValues(descriptor, value, child.Values, name, at);
            }
            else
            {
                Descend(descriptor, value, child, name, at);
            }
        }
    }

    private void Descend(FieldDescriptor descriptor, object value, HonouredFieldSet child, string name, string at)
    {
        if (descriptor.FieldType != FieldType.Message || descriptor.IsMap || !(child.All || child.Names.Any()))
        {
            return;
        }

        // The values of wrapper types are handed out bare.
        if (value is IMessage message)
        {
            Visit(message, child, name, at);
        }
        else if (value is IList list)
        {
            for (var i = 0; i < list.Count; i++)
            {
                if (list[i] is IMessage item)
                {
                    Visit(item, child, name, $"{at}[{i}]");
                }
            }
        }
    }

    private void CheckValues(FieldDescriptor descriptor, object value, IReadOnlyList<string> allowed, string name, string at)
    {
        if (value is not IList list)
        {
            Check(Name(value), at);
            return;
        }

        for (var i = 0; i < list.Count; i++)
        {
            Check(Name(list[i]!), $"{at}[{i}]");
        }

        string Name(object item)
            => descriptor.FieldType == FieldType.Enum ? descriptor.EnumType.FindValueByNumber((int)item)?.Name ?? "" : item.ToString() ?? "";

        void Check(string text, string place)
        {
            if (!allowed.Contains(text))
            {
                Note(
                    $"{name}={text}",
                    place,
                    $"{text} is accepted, but not yet applied by this version, which knows {string.Join(", ", allowed)}.",
                    deprecated: false);
            }
        }
    }

    private void Note(string key, string place, string message, bool deprecated)
    {
        if (_found.TryGetValue(key, out var earlier))
        {
            _found[key] = earlier with { Count = earlier.Count + 1 };
            return;
        }

        _found.Add(key, (place, message, 1, deprecated));
        _order.Add(key);
    }

    private static bool IsSet(IMessage message, FieldDescriptor field, out object value)
    {
        value = field.Accessor.GetValue(message);
        if (field.IsMap || field.IsRepeated)
        {
            return ((ICollection)value).Count > 0;
        }

        if (field.HasPresence)
        {
            return field.Accessor.HasValue(message);
        }

        return value switch
        {
            string text => text.Length > 0,
            ByteString bytes => bytes.Length > 0,
            bool flag => flag,
            Enum member => Convert.ToInt32(member, null) != 0,
            IConvertible number => number.ToDouble(null) != 0,
            _ => value is not null,
        };
    }
}
