using System.Collections.Concurrent;
using Google.Protobuf;
using Google.Protobuf.Reflection;
using Google.Protobuf.WellKnownTypes;

namespace Mesh.Xds.Validation;

/// <summary>How a message is validated: its fields with rules, and those below which there are rules. Compiled once per message type.</summary>
internal sealed class MessagePlan
{
    private static readonly ConcurrentDictionary<MessageDescriptor, MessagePlan> Plans = new();
    private static readonly ConcurrentDictionary<MessageDescriptor, bool> Reaching = new();

    private readonly (OneofDescriptor Oneof, OneofAccessor Accessor)[] _requiredOneofs;
    private readonly FieldPlan[] _fields;

    private MessagePlan(MessageDescriptor descriptor)
    {
        var rules = WireRules.Of(descriptor.FullName);
        _requiredOneofs = descriptor.Oneofs
            .Where(oneof => rules?.RequiredOneofs.Contains(oneof.Name) == true)
            .Select(oneof => (oneof, oneof.Accessor))
            .ToArray();
        _fields = descriptor.Fields.InDeclarationOrder()
            .Select(field => (Field: field, Rules: rules?.Fields.GetValueOrDefault(field.Name)))
            .Where(entry => FieldPlan.IsNeeded(entry.Field, entry.Rules))
            .Select(entry => new FieldPlan(entry.Field, entry.Rules))
            .ToArray();
    }

    public static MessagePlan Of(MessageDescriptor descriptor) => Plans.GetOrAdd(descriptor, static key => new MessagePlan(key));

    /// <summary>Whether the message, or any that it can hold, has rules.</summary>
    public static bool Reaches(MessageDescriptor descriptor) => Reaching.GetOrAdd(descriptor, static key => Search(key, []));

    public Violation? Check(IMessage message)
    {
        // What no clock can count is wrong wherever it stands, with rules or without.
        if (message is Duration duration && !IsNormalized(duration))
        {
            return new Violation($"is no duration: {duration.Seconds} s and {duration.Nanos} ns are out of range or of opposite signs");
        }

        foreach (var (oneof, accessor) in _requiredOneofs)
        {
            if (accessor.GetCaseFieldDescriptor(message) is null)
            {
                return new Violation($"one of {string.Join(", ", oneof.Fields.Select(field => field.Name))} must be set").Within(oneof.Name);
            }
        }

        foreach (var field in _fields)
        {
            if (field.Check(message) is { } violation)
            {
                return violation;
            }
        }

        return null;
    }

    private static bool IsNormalized(Duration duration)
        => duration.Seconds is >= Duration.MinSeconds and <= Duration.MaxSeconds
            && duration.Nanos is > -Duration.NanosecondsPerSecond and < Duration.NanosecondsPerSecond
            && Math.Sign(duration.Seconds) * Math.Sign(duration.Nanos) >= 0;

    private static bool Search(MessageDescriptor descriptor, HashSet<MessageDescriptor> visited)
    {
        if (!visited.Add(descriptor))
        {
            return false;
        }

        return descriptor == Duration.Descriptor
            || WireRules.Of(descriptor.FullName) is not null
            || descriptor.Fields.InDeclarationOrder().Any(field => field.FieldType == FieldType.Message && Search(field.MessageType, visited));
    }
}
