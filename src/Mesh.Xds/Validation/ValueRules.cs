using System.Globalization;
using System.Text;
using Google.Protobuf;
using Google.Protobuf.Reflection;
using Google.Protobuf.WellKnownTypes;

namespace Mesh.Xds.Validation;

/// <summary>Holds one value against its rules.</summary>
internal static class ValueRules
{
    /// <returns>The reason why the value is not valid, or <see langword="null"/>.</returns>
    public static string? Check(object value, FieldRules rules, FieldDescriptor field) => value switch
    {
        string text => CheckText(text, rules),
        ByteString bytes => bytes.Length < rules.MinLength ? $"must have at least {rules.MinLength} bytes" : null,
        bool flag => rules.Const is { } constant && flag != constant ? $"must be {(constant ? "true" : "false")}" : null,
        double number => CheckFloat(number, rules),
        float number => CheckFloat(number, rules),
        Duration duration => CheckNumber(duration.Seconds + (duration.Nanos / 1_000_000_000m), rules, "s"),
        int or uint or long or ulong => CheckNumber(Convert.ToDecimal(value, CultureInfo.InvariantCulture), rules, ""),
        System.Enum number => CheckEnum(Convert.ToInt32(number, CultureInfo.InvariantCulture), rules, field),
        _ => null,
    };

    private static string? CheckText(string text, FieldRules rules)
    {
        if (rules.IgnoreEmpty && text.Length == 0)
        {
            return null;
        }

        if (rules.MinLength > 0 || rules.MaxLength < int.MaxValue)
        {
            var length = text.Length >= rules.MinLength * 2 && text.Length <= rules.MaxLength ? text.Length : text.EnumerateRunes().Count();
            if (length < rules.MinLength)
            {
                return rules.MinLength == 1 ? "must not be empty" : $"must have at least {rules.MinLength} characters";
            }

            if (length > rules.MaxLength)
            {
                return $"must have at most {rules.MaxLength} characters";
            }
        }

        if (rules.MaxBytes < int.MaxValue && Encoding.UTF8.GetByteCount(text) > rules.MaxBytes)
        {
            return $"must have at most {rules.MaxBytes} bytes";
        }

        if (rules.In.Count > 0 && !rules.In.Contains(text, StringComparer.Ordinal))
        {
            return $"must be one of {string.Join(", ", rules.In)}";
        }

        if (rules.Prefix is not null && !text.StartsWith(rules.Prefix, StringComparison.Ordinal))
        {
            return $"must begin with '{rules.Prefix}'";
        }

        if (rules.Suffix is not null && !text.EndsWith(rules.Suffix, StringComparison.Ordinal))
        {
            return $"must end with '{rules.Suffix}'";
        }

        return rules.Pattern is not null && !rules.Pattern.IsMatch(text) ? $"has characters or a form that {rules.Pattern} does not allow" : null;
    }

    private static string? CheckFloat(double number, FieldRules rules)
    {
        if (rules.IgnoreEmpty && number == 0)
        {
            return null;
        }

        // Written so that NaN breaks every bound.
        return rules switch
        {
            { GreaterThan: { } bound } when !(number > (double)bound) => $"must be greater than {Text(bound)}",
            { AtLeast: { } bound } when !(number >= (double)bound) => $"must be at least {Text(bound)}",
            { LessThan: { } bound } when !(number < (double)bound) => $"must be less than {Text(bound)}",
            { AtMost: { } bound } when !(number <= (double)bound) => $"must be at most {Text(bound)}",
            _ => null,
        };
    }

    private static string? CheckNumber(decimal number, FieldRules rules, string unit)
    {
        if (rules.IgnoreEmpty && number == 0)
        {
            return null;
        }

        return rules switch
        {
            { GreaterThan: { } bound } when number <= bound => $"must be greater than {Text(bound)}{unit}",
            { AtLeast: { } bound } when number < bound => $"must be at least {Text(bound)}{unit}",
            { LessThan: { } bound } when number >= bound => $"must be less than {Text(bound)}{unit}",
            { AtMost: { } bound } when number > bound => $"must be at most {Text(bound)}{unit}",
            _ => null,
        };
    }

    private static string? CheckEnum(int number, FieldRules rules, FieldDescriptor field)
    {
        if (rules.NotIn.Contains(number))
        {
            return $"must not be {field.EnumType.FindValueByNumber(number)?.Name ?? number.ToString(CultureInfo.InvariantCulture)}";
        }

        return rules.DefinedOnly && field.EnumType.FindValueByNumber(number) is null
            ? $"has the value {number}, which {field.EnumType.Name} does not define"
            : null;
    }

    private static string Text(decimal bound) => bound.ToString("0.############", CultureInfo.InvariantCulture);
}
