using System.Text;

namespace Mesh.DataPlane.Matching.Re2;

/// <summary>
/// Finds the leftmost match and its groups by simulating all states at once, in time proportional to text times program: what RE2 does in its NFA.
/// </summary>
/// <remarks>
/// .NET's non-backtracking engine finds other bounds than RE2 for some patterns (lazy optional parts; <c>\{?[a-z]{1,1}</c> on <c>{77c77b</c> gives the b),
/// and a rewritten path must not depend on that.
/// </remarks>
internal sealed class Re2Searcher
{
    private const int None = -1;

    private readonly Re2Program _program;
    private readonly string _text;
    private readonly int[] _working;
    private readonly Stack<(int State, int Slot, int Value)> _pending = new();
    private Re2Threads _current;
    private Re2Threads _next;

    public Re2Searcher(Re2Program program, string text, int maxGroup)
    {
        _program = program;
        _text = text;
        var slots = 2 * (maxGroup + 1);
        _working = new int[slots];
        Groups = new int[slots];
        _current = new Re2Threads(program.Count, slots);
        _next = new Re2Threads(program.Count, slots);
    }

    /// <summary>Start and end of the whole match, then of each group; -1 for a group that took no part.</summary>
    public int[] Groups { get; }

    /// <summary>Finds the first match that starts at <paramref name="start"/> or later.</summary>
    public bool Find(int start)
    {
        var matched = false;
        _current.Clear();
        for (var position = start; ;)
        {
            if (!matched)
            {
                Array.Fill(_working, None);
                _working[0] = position;
                Follow(_current, _program.Start, position);
            }

            var codePoint = Read(position, out var length);
            matched |= Step(position, codePoint, position + length);
            (_current, _next) = (_next, _current);
            position += length;
            if (length == 0 || (matched && _current.Count == 0))
            {
                return matched;
            }
        }
    }

    /// <summary>Length of the character at <paramref name="position"/>, 0 at the end.</summary>
    public int LengthAt(int position)
    {
        Read(position, out var length);
        return length;
    }

    private bool Step(int position, int codePoint, int after)
    {
        _next.Clear();
        for (var i = 0; i < _current.Count; i++)
        {
            var state = _current[i];
            var instruction = _program[state];
            if (instruction.Code == Re2InstructionCode.Match)
            {
                _current.Groups(state).CopyTo(Groups);
                Groups[1] = position;
                return true;
            }

            if (instruction.Code == Re2InstructionCode.Character && codePoint >= 0 && instruction.Set!.Contains(codePoint))
            {
                _current.Groups(state).CopyTo(_working);
                Follow(_next, instruction.Next, after);
            }
        }

        return false;
    }

    /// <summary>Adds all states reachable without reading a character, preferred ones first.</summary>
    private void Follow(Re2Threads threads, int start, int position)
    {
        _pending.Push((start, None, 0));
        while (_pending.TryPop(out var entry))
        {
            if (entry.State == None)
            {
                _working[entry.Slot] = entry.Value;
                continue;
            }

            if (!threads.TryAdd(entry.State))
            {
                continue;
            }

            var instruction = _program[entry.State];
            switch (instruction.Code)
            {
                case Re2InstructionCode.Split:
                    _pending.Push((instruction.Other, None, 0));
                    _pending.Push((instruction.Next, None, 0));
                    break;
                case Re2InstructionCode.Assert when Holds(instruction.Assertion, position):
                    _pending.Push((instruction.Next, None, 0));
                    break;
                case Re2InstructionCode.Save:
                    if (instruction.Other < _working.Length)
                    {
                        _pending.Push((None, instruction.Other, _working[instruction.Other]));
                        _working[instruction.Other] = position;
                    }

                    _pending.Push((instruction.Next, None, 0));
                    break;
                case Re2InstructionCode.Character or Re2InstructionCode.Match:
                    _working.CopyTo(threads.Groups(entry.State));
                    break;
            }
        }
    }

    private bool Holds(Re2NodeKind assertion, int position) => assertion switch
    {
        Re2NodeKind.BeginText => position == 0,
        Re2NodeKind.EndText => position == _text.Length,
        Re2NodeKind.BeginLine => position == 0 || _text[position - 1] == '\n',
        Re2NodeKind.EndLine => position == _text.Length || _text[position] == '\n',
        Re2NodeKind.WordBoundary => IsWord(position - 1) != IsWord(position),
        _ => IsWord(position - 1) == IsWord(position),
    };

    private bool IsWord(int index) => (uint)index < (uint)_text.Length && (char.IsAsciiLetterOrDigit(_text[index]) || _text[index] == '_');

    /// <summary>The code point at <paramref name="position"/>; -1 at the end and for half of a surrogate pair, which nothing matches.</summary>
    private int Read(int position, out int length)
    {
        if (position >= _text.Length)
        {
            length = 0;
            return None;
        }

        length = 1;
        if (!char.IsSurrogate(_text[position]))
        {
            return _text[position];
        }

        if (Rune.TryGetRuneAt(_text, position, out var rune))
        {
            length = rune.Utf16SequenceLength;
            return rune.Value;
        }

        return None;
    }
}
