using System.Collections;
using Google.Protobuf;
using Google.Protobuf.Reflection;
using Mesh.DataPlane.Resources;
using Mesh.Xds.Client;

namespace Mesh.DataPlane.Tests.Decoding.Fields;

/// <summary>Goes through the fields of messages and of all below them, sets each by itself, and sees what becomes of it.</summary>
/// <param name="elsewhere">Messages that are looked at elsewhere.</param>
internal sealed class FieldWalk(params string[] elsewhere)
{
    private readonly HashSet<string> _seen = new(elsewhere, StringComparer.Ordinal);

    /// <summary>By <c>package.Message.field</c>.</summary>
    public SortedDictionary<string, FieldOutcome> Outcomes { get; } = new(StringComparer.Ordinal);

    /// <summary>Where the walk itself went wrong: a sample that is not valid, a reason that names another field.</summary>
    public List<string> Problems { get; } = [];

    public void Go(FieldSite site) => Go(site, site.Create().Descriptor, []);

    private void Go(FieldSite site, MessageDescriptor message, FieldDescriptor[] path)
    {
        if (!_seen.Add(message.FullName))
        {
            return;
        }

        foreach (var field in message.Fields.InDeclarationOrder())
        {
            Probe(site, path, field);
            if (Outcomes.GetValueOrDefault(field.FullName) is FieldOutcome.Honoured or FieldOutcome.Ignored
                && field is { FieldType: FieldType.Message, IsMap: false } && FieldSamples.IsWalked(field.MessageType))
            {
                if (!_seen.Contains(field.MessageType.FullName) && Outcomes[field.FullName] == FieldOutcome.Ignored)
                {
                    // Empty it says nothing; what it consists of does.
                    Outcomes.Remove(field.FullName);
                }

                Go(site, field.MessageType, [.. path, field]);
            }
        }
    }

    private void Probe(FieldSite site, FieldDescriptor[] path, FieldDescriptor field)
    {
        var name = field.FullName;
        try
        {
            var before = Decode(site, path, field, isSet: false);
            var after = Decode(site, path, field, isSet: true);
            var told = after.Notes.Except(before.Notes).Any(n => n.Contains(field.Name, StringComparison.Ordinal));
            Outcomes[name] = told ? FieldOutcome.Told
                : DecodedDump.Of(before) != DecodedDump.Of(after) ? FieldOutcome.Honoured
                : FieldOutcome.Ignored;
        }
        catch (ResourceRejectedException e) when (e.Field.Contains(field.Name, StringComparison.Ordinal))
        {
            Outcomes[name] = FieldOutcome.Refused;
        }
        catch (ResourceRejectedException e)
        {
            Problems.Add($"{name} is refused as '{e.Field}': {e.Reason}");
        }
        catch (Exception e) when (e is not ShouldAssertException)
        {
            Problems.Add($"{name} throws {e.GetType().Name}: {e.Message}");
        }
    }

    private static Resource Decode(FieldSite site, FieldDescriptor[] path, FieldDescriptor field, bool isSet)
    {
        var root = site.Create();
        FieldSamples.Prepare(root, [.. path, field]);
        var target = path.Aggregate(root, Descend);
        if (isSet)
        {
            FieldSamples.Set(target, field);
        }

        return site.Decode(root);
    }

    private static IMessage Descend(IMessage message, FieldDescriptor field)
    {
        if (field.IsRepeated)
        {
            var list = (IList)field.Accessor.GetValue(message);
            if (list.Count == 0)
            {
                list.Add(FieldSamples.Value(field));
            }

            return (IMessage)list[0]!;
        }

        if (field.Accessor.GetValue(message) is null)
        {
            FieldSamples.Set(message, field);
        }

        return (IMessage)field.Accessor.GetValue(message);
    }
}
