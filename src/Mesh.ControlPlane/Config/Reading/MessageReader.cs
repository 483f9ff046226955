using Mesh.Xds.Settings;
using System.Collections;
using Google.Protobuf;
using Google.Protobuf.Reflection;
using Mesh.ControlPlane.Config.Yaml;

namespace Mesh.ControlPlane.Config.Reading;

/// <summary>
/// Sets the fields of a message from a mapping, guided by the message's descriptor. <c>JsonParser</c> gives neither line nor path,
/// stops at the first error, and refuses Go durations.
/// </summary>
internal sealed class MessageReader
{
    private readonly ReadContext _context;
    private readonly ScalarReader _scalars;
    private readonly WellKnownTypeReader _wellKnown;

    public MessageReader(ReadContext context)
    {
        _context = context;
        _scalars = new ScalarReader(context);
        _wellKnown = new WellKnownTypeReader(context, _scalars);
    }

    /// <summary>Reads all that can be read; what cannot is told to the context.</summary>
    public IMessage Read(MessageDescriptor type, YamlNode node, YamlPath path)
    {
        var message = type.Parser.ParseFrom(ByteString.Empty);
        if (node is YamlMapping mapping)
        {
            ReadInto(message, mapping, path);
        }
        else
        {
            _context.Error(node, path, $"must be a mapping with the fields of {type.Name}, not {node.Describe()}.");
        }

        return message;
    }

    private void ReadInto(IMessage message, YamlMapping mapping, YamlPath path)
    {
        var names = FieldNames.Of(message.Descriptor);
        var given = new Dictionary<object, YamlScalar>();
        foreach (var (key, value) in mapping.Entries)
        {
            if (!names.TryGetValue(key.Value, out var field))
            {
                var hint = Suggestion.For(key.Value, FieldNames.Json(message.Descriptor));
                _context.UnknownField(key, path.Key(key.Value), $"{message.Descriptor.Name} has no field \"{key.Value}\".{hint}");
                continue;
            }

            var at = path.Key(field.JsonName);
            if (value is YamlScalar { IsNull: true } && !WellKnownTypeReader.TakesNull(field))
            {
                continue;
            }

            if (!given.TryAdd(field, key))
            {
                _context.Error(key, at, $"is given twice, as \"{given[field].Value}\" in line {given[field].Line} and as \"{key.Value}\": keep one.");
                continue;
            }

            if (field.RealContainingOneof is { } oneof && !given.TryAdd(oneof, key))
            {
                var arms = string.Join(", ", oneof.Fields.Select(f => f.JsonName));
                _context.Error(key, at, $"cannot be given beside \"{given[oneof].Value}\" (line {given[oneof].Line}): only one of {arms} may be set.");
                continue;
            }

            ReadField(message, field, value, at);
        }
    }

    private void ReadField(IMessage message, FieldDescriptor field, YamlNode node, YamlPath path)
    {
        if (field.IsMap)
        {
            ReadMap((IDictionary)field.Accessor.GetValue(message), field, node, path);
        }
        else if (field.IsRepeated)
        {
            ReadList((IList)field.Accessor.GetValue(message), field, node, path);
        }
        else if (ReadSingle(field, node, path) is { } value)
        {
            field.Accessor.SetValue(message, value);
        }
    }

    private void ReadMap(IDictionary map, FieldDescriptor field, YamlNode node, YamlPath path)
    {
        if (node is not YamlMapping mapping)
        {
            _context.Error(node, path, $"must be a mapping, not {node.Describe()}.");
            return;
        }

        var keyField = field.MessageType.FindFieldByNumber(1);
        var valueField = field.MessageType.FindFieldByNumber(2);
        foreach (var (key, value) in mapping.Entries)
        {
            var at = path.Key(key.Value);
            if (value is YamlScalar { IsNull: true } && !WellKnownTypeReader.TakesNull(valueField))
            {
                _context.Error(key, at, "has no value: give it one, or remove the key.");
            }
            else if (KeyOf(keyField, key, at) is { } name && ReadSingle(valueField, value, at) is { } read && !map.Contains(name))
            {
                map.Add(name, read);
            }
        }
    }

    /// <summary>JSON knows keys that are strings only, so that a port may be written in quotes or without.</summary>
    private object? KeyOf(FieldDescriptor field, YamlScalar key, YamlPath path)
        => field.FieldType == FieldType.String ? key.Value : _scalars.Read(field, key, path);

    private void ReadList(IList list, FieldDescriptor field, YamlNode node, YamlPath path)
    {
        if (node is not YamlSequence sequence)
        {
            _context.Error(node, path, $"must be a list, not {node.Describe()}: begin each item with \"- \".");
            return;
        }

        for (var i = 0; i < sequence.Items.Count; i++)
        {
            var item = sequence.Items[i];
            var at = path.Item(i);
            if (item is YamlScalar { IsNull: true } && !WellKnownTypeReader.TakesNull(field))
            {
                _context.Error(item, at, "is empty: give it a value, or remove the item.");
            }
            else if (ReadSingle(field, item, at) is { } read)
            {
                list.Add(read);
            }
        }
    }

    private object? ReadSingle(FieldDescriptor field, YamlNode node, YamlPath path)
    {
        if (field.FieldType != FieldType.Message)
        {
            return _scalars.Read(field, node, path);
        }

        return _wellKnown.TryRead(field.MessageType, node, path, out var value) ? value : Read(field.MessageType, node, path);
    }
}
