using System.Collections;
using Google.Protobuf;
using Google.Protobuf.Reflection;

namespace Mesh.Xds.Validation;

/// <summary>
/// Finds out whether a message carries fields that its descriptor does not know. C#'s UnknownFieldSet cannot be enumerated, so the message is parsed once
/// keeping and once discarding them: where the sizes differ there are some.
/// </summary>
internal static class UnknownFields
{
    /// <summary>Looks through a serialized message; <c>Any</c> is not descended into.</summary>
    /// <returns>The messages that carry unknown fields themselves, outer ones first.</returns>
    /// <exception cref="InvalidProtocolBufferException">The bytes are no such message.</exception>
    public static IReadOnlyList<UnknownFieldsLocation> Find(ByteString body, MessageParser parser)
    {
        var kept = parser.ParseFrom(body);
        var known = parser.WithDiscardUnknownFields(true).ParseFrom(body);
        var found = new List<UnknownFieldsLocation>();
        Compare(kept, known, "", found);
        return found;
    }

    private static void Compare(IMessage kept, IMessage known, string path, List<UnknownFieldsLocation> found)
    {
        var difference = kept.CalculateSize() - known.CalculateSize();
        if (difference == 0)
        {
            return;
        }

        // What the messages below explain is theirs; what is left is this one's own.
        var own = found.Count;
        foreach (var field in kept.Descriptor.Fields.InDeclarationOrder())
        {
            foreach (var child in Children(field, kept, known))
            {
                var explained = child.SizeOf(child.Kept) - child.SizeOf(child.Known);
                if (explained != 0)
                {
                    difference -= explained;
                    Compare(child.Kept, child.Known, path.Length == 0 ? child.Segment : $"{path}.{child.Segment}", found);
                }
            }
        }

        if (difference != 0)
        {
            found.Insert(own, new UnknownFieldsLocation(path, kept.Descriptor));
        }
    }

    private static IEnumerable<Child> Children(FieldDescriptor field, IMessage kept, IMessage known)
    {
        if (field.FieldType != FieldType.Message)
        {
            yield break;
        }

        var (one, other) = (field.Accessor.GetValue(kept), field.Accessor.GetValue(known));
        if (field.IsMap)
        {
            var others = (IDictionary)other;
            foreach (DictionaryEntry entry in (IDictionary)one)
            {
                if (entry.Value is IMessage value)
                {
                    yield return new Child($"{field.Name}[\"{entry.Key}\"]", value, (IMessage)others[entry.Key]!, KeySize(entry.Key));
                }
            }
        }
        else if (field.IsRepeated)
        {
            var (list, others) = ((IList)one, (IList)other);
            for (var i = 0; i < list.Count; i++)
            {
                yield return new Child($"{field.Name}[{i}]", (IMessage)list[i]!, (IMessage)others[i]!, KeySize: null);
            }
        }
        else if (one is IMessage message)
        {
            yield return new Child(field.Name, message, (IMessage)other, KeySize: null);
        }
    }

    private static int KeySize(object key) => 1 + key switch
    {
        string text => CodedOutputStream.ComputeStringSize(text),
        int number => CodedOutputStream.ComputeInt32Size(number),
        uint number => CodedOutputStream.ComputeUInt32Size(number),
        long number => CodedOutputStream.ComputeInt64Size(number),
        ulong number => CodedOutputStream.ComputeUInt64Size(number),
        _ => 1,
    };

    private readonly record struct Child(string Segment, IMessage Kept, IMessage Known, int? KeySize)
    {
        /// <summary>The bytes that the child takes in its parent, without the tag; in a map it is wrapped once more, with its key.</summary>
        public int SizeOf(IMessage message)
        {
            var size = CodedOutputStream.ComputeMessageSize(message);
            return KeySize is { } key ? CodedOutputStream.ComputeLengthSize(key + 1 + size) + key + 1 + size : size;
        }
    }
}
