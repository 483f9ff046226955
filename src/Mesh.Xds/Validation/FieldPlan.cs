using System.Collections;
using Google.Protobuf;
using Google.Protobuf.Reflection;

namespace Mesh.Xds.Validation;

/// <summary>One field that has rules itself or somewhere below it.</summary>
internal sealed class FieldPlan
{
    private readonly FieldDescriptor _field;
    private readonly FieldDescriptor _element;
    private readonly IFieldAccessor _accessor;
    private readonly FieldRules? _rules;
    private readonly MessageDescriptor? _child;
    private MessagePlan? _childPlan;

    public FieldPlan(FieldDescriptor field, FieldRules? rules)
    {
        _field = field;
        _accessor = field.Accessor;
        _rules = rules;
        _element = field.IsMap ? field.MessageType.FindFieldByNumber(2) : field;
        _child = _element.FieldType == FieldType.Message && rules is not { SkipsMessage: true } && MessagePlan.Reaches(_element.MessageType) ? _element.MessageType : null;
    }

    private MessagePlan ChildPlan => _childPlan ??= MessagePlan.Of(_child!);

    public static bool IsNeeded(FieldDescriptor field, FieldRules? rules)
    {
        var element = field.IsMap ? field.MessageType.FindFieldByNumber(2) : field;
        return rules is not null || (element.FieldType == FieldType.Message && MessagePlan.Reaches(element.MessageType));
    }

    public Violation? Check(IMessage message)
    {
        if (_field.IsMap)
        {
            return CheckMap((IDictionary)_accessor.GetValue(message))?.Within(_field.Name);
        }

        if (_field.IsRepeated)
        {
            return CheckList((IList)_accessor.GetValue(message))?.Within(_field.Name);
        }

        return CheckSingle(message)?.Within(_field.Name);
    }

    private Violation? CheckSingle(IMessage message)
    {
        if (_field.HasPresence && !_accessor.HasValue(message))
        {
            // In a oneof "required" speaks of the case that was chosen, and that is set by being chosen.
            return _rules is { Required: true } && _field.RealContainingOneof is null ? new Violation("must be set") : null;
        }

        return CheckValue(_accessor.GetValue(message), _rules);
    }

    private Violation? CheckList(IList list)
    {
        if (CheckCount(list.Count) is { } wrong)
        {
            return wrong;
        }

        if (_rules?.Items is null && _child is null && _rules is not { Unique: true })
        {
            return null;
        }

        var seen = _rules is { Unique: true } ? new HashSet<object>() : null;
        for (var i = 0; i < list.Count; i++)
        {
            var violation = CheckValue(list[i]!, _rules?.Items);
            if (violation is null && seen?.Add(list[i]!) == false)
            {
                violation = new Violation("repeats an earlier item");
            }

            if (violation is not null)
            {
                return violation.Within($"[{i}]");
            }
        }

        return null;
    }

    private Violation? CheckMap(IDictionary map)
    {
        if (CheckCount(map.Count) is { } wrong)
        {
            return wrong;
        }

        if (_rules?.Keys is null && _rules?.Values is null && _child is null)
        {
            return null;
        }

        foreach (DictionaryEntry entry in map)
        {
            if (_rules?.Keys is not null && ValueRules.Check(entry.Key, _rules.Keys, _field) is { } reason)
            {
                return new Violation($"the key {reason}").Within($"[\"{entry.Key}\"]");
            }

            if (CheckValue(entry.Value!, _rules?.Values) is { } violation)
            {
                return violation.Within($"[\"{entry.Key}\"]");
            }
        }

        return null;
    }

    private Violation? CheckCount(int count)
    {
        if (_rules is null)
        {
            return null;
        }

        if (count < _rules.MinCount)
        {
            return new Violation($"must have at least {_rules.MinCount} item{(_rules.MinCount == 1 ? "" : "s")}");
        }

        return count > _rules.MaxCount ? new Violation($"has {count} items; at most {_rules.MaxCount} are allowed") : null;
    }

    private Violation? CheckValue(object value, FieldRules? rules)
    {
        if (rules is not null && ValueRules.Check(value, rules, _element) is { } reason)
        {
            return new Violation(reason);
        }

        return _child is not null ? ChildPlan.Check((IMessage)value) : null;
    }
}
