using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace Mesh.Xds.Validation;

/// <summary>Reads rules in the text form of their options: <c>string { min_len: 1 }</c>.</summary>
internal sealed class FieldRulesParser
{
    private readonly string _text;
    private int _position;

    private FieldRulesParser(string text)
    {
        _text = text;
    }

    /// <exception cref="FormatException">The text is none, or has a rule that is not known: leaving one out would let in what Envoy refuses.</exception>
    public static FieldRules Parse(string text)
    {
        var parser = new FieldRulesParser(text);
        var rules = new FieldRules();
        while (parser.Peek() != '\0')
        {
            parser.ReadKind(rules);
        }

        return rules;
    }

    /// <summary>A kind and its block: <c>repeated { … }</c>. A wrapper field has two: one for the number, one for the message.</summary>
    private void ReadKind(FieldRules rules)
    {
        ReadWord();
        Expect('{');
        string? headers = null;
        var strict = true;
        while (!TryTake('}'))
        {
            var name = ReadWord();
            if (name is "items" or "keys" or "values")
            {
                var inner = new FieldRules();
                Expect('{');
                while (!TryTake('}'))
                {
                    ReadKind(inner);
                }

                Attach(rules, name, inner);
            }
            else if (name is "gt" or "gte" or "lt" or "lte" && Peek() == '{')
            {
                SetBound(rules, name, ReadDuration());
            }
            else
            {
                Expect(':');
                var value = ReadValue();
                if (name == "well_known_regex")
                {
                    headers = value;
                }
                else if (name == "strict")
                {
                    strict = value == "true";
                }
                else
                {
                    Set(rules, name, value);
                }
            }
        }

        if (headers is not null)
        {
            rules.Pattern = HeaderPatterns.Of(headers, strict);
        }
    }

    private static void Attach(FieldRules rules, string name, FieldRules inner)
    {
        switch (name)
        {
            case "items":
                rules.Items = inner;
                break;
            case "keys":
                rules.Keys = inner;
                break;
            default:
                rules.Values = inner;
                break;
        }
    }

    private void Set(FieldRules rules, string name, string value)
    {
        switch (name)
        {
            case "required":
                rules.Required = value == "true";
                break;
            case "skip":
                rules.SkipsMessage = value == "true";
                break;
            case "defined_only":
                rules.DefinedOnly = value == "true";
                break;
            case "unique":
                rules.Unique = value == "true";
                break;
            case "ignore_empty":
                rules.IgnoreEmpty = value == "true";
                break;
            case "const":
                rules.Const = value == "true";
                break;
            case "min_len":
                rules.MinLength = ToInt(value);
                break;
            case "max_len":
                rules.MaxLength = ToInt(value);
                break;
            case "max_bytes":
                rules.MaxBytes = ToInt(value);
                break;
            case "min_items" or "min_pairs":
                rules.MinCount = ToInt(value);
                break;
            case "max_items":
                rules.MaxCount = ToInt(value);
                break;
            case "not_in":
                rules.NotIn.Add(ToDecimal(value));
                break;
            case "in":
                rules.In.Add(value);
                break;
            case "prefix":
                rules.Prefix = value;
                break;
            case "suffix":
                rules.Suffix = value;
                break;
            case "pattern":
                // RE2's $ is the end of the text, .NET's lets a line feed through.
                rules.Pattern = new Regex(value.EndsWith('$') ? value[..^1] + @"\z" : value, RegexOptions.CultureInvariant | RegexOptions.NonBacktracking);
                break;
            case "gt" or "gte" or "lt" or "lte":
                SetBound(rules, name, ToDecimal(value));
                break;
            default:
                throw new FormatException($"the validation rule '{name}' is not known, in '{_text}'");
        }
    }

    private static void SetBound(FieldRules rules, string name, decimal bound)
    {
        switch (name)
        {
            case "gt":
                rules.GreaterThan = bound;
                break;
            case "gte":
                rules.AtLeast = bound;
                break;
            case "lt":
                rules.LessThan = bound;
                break;
            default:
                rules.AtMost = bound;
                break;
        }
    }

    private decimal ReadDuration()
    {
        var total = 0m;
        Expect('{');
        while (!TryTake('}'))
        {
            var unit = ReadWord();
            Expect(':');
            var amount = ToDecimal(ReadValue());
            total += unit == "nanos" ? amount / 1_000_000_000m : amount;
        }

        return total;
    }

    private char Peek()
    {
        while (_position < _text.Length && _text[_position] == ' ')
        {
            _position++;
        }

        return _position < _text.Length ? _text[_position] : '\0';
    }

    private bool TryTake(char character)
    {
        if (Peek() != character)
        {
            return false;
        }

        _position++;
        return true;
    }

    private void Expect(char character)
    {
        if (!TryTake(character))
        {
            throw new FormatException($"'{character}' is missing at {_position} in the validation rules '{_text}'");
        }
    }

    private string ReadWord()
    {
        Peek();
        var start = _position;
        while (_position < _text.Length && (char.IsAsciiLetterOrDigit(_text[_position]) || _text[_position] is '_' or '.' or '-' or '+'))
        {
            _position++;
        }

        return start < _position ? _text[start.._position] : throw new FormatException($"a word is missing at {start} in the validation rules '{_text}'");
    }

    private string ReadValue()
    {
        if (!TryTake('"'))
        {
            return ReadWord();
        }

        var value = new StringBuilder();
        while (_position < _text.Length && _text[_position] != '"')
        {
            if (_text[_position] == '\\' && _position + 1 < _text.Length)
            {
                _position++;
            }

            value.Append(_text[_position++]);
        }

        Expect('"');
        return value.ToString();
    }

    private static int ToInt(string value) => int.Parse(value, CultureInfo.InvariantCulture);

    private static decimal ToDecimal(string value) => decimal.Parse(value, NumberStyles.Float, CultureInfo.InvariantCulture);
}
