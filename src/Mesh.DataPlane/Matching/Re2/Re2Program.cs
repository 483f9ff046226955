namespace Mesh.DataPlane.Matching.Re2;

/// <summary>
/// A pattern as instructions, for searches that must know where a match and its groups are. Loops are laid out as RE2's compiler lays them out, so that
/// what may be empty inside of a loop is preferred in the same order.
/// </summary>
internal sealed class Re2Program
{
    /// <summary>Far above what the limit of the estimated program size lets through, except for empty alternatives in counted loops.</summary>
    private const int MaxInstructions = 200_000;

    private readonly List<Re2Instruction> _instructions = [];
    private readonly string _pattern;

    private Re2Program(string pattern) => _pattern = pattern;

    public int Start { get; private set; }

    public int Count => _instructions.Count;

    public Re2Instruction this[int index] => _instructions[index];

    /// <exception cref="Re2SyntaxException">The program would be too large.</exception>
    public static Re2Program Compile(string pattern, Re2Node root)
    {
        var program = new Re2Program(pattern);
        program.Start = program.Emit(root, program.Add(new Re2Instruction(Re2InstructionCode.Match)));
        return program;
    }

    private int Add(Re2Instruction instruction)
    {
        if (_instructions.Count == MaxInstructions)
        {
            throw new Re2SyntaxException(_pattern, 0, "too large for a substitution; simplify it");
        }

        _instructions.Add(instruction);
        return _instructions.Count - 1;
    }

    /// <summary>Emits <paramref name="node"/> in front of <paramref name="next"/> and returns where it begins.</summary>
    private int Emit(Re2Node node, int next)
    {
        switch (node.Kind)
        {
            case Re2NodeKind.Empty:
                return next;
            case Re2NodeKind.Set:
                return Add(new Re2Instruction(Re2InstructionCode.Character, next, Set: node.Set));
            case Re2NodeKind.Capture:
                var end = Add(new Re2Instruction(Re2InstructionCode.Save, next, (2 * node.Group) + 1));
                return Add(new Re2Instruction(Re2InstructionCode.Save, Emit(node.Children[0], end), 2 * node.Group));
            case Re2NodeKind.Concatenation:
                for (var i = node.Children.Length - 1; i >= 0; i--)
                {
                    next = Emit(node.Children[i], next);
                }

                return next;
            case Re2NodeKind.Alternation:
                var start = Emit(node.Children[^1], next);
                for (var i = node.Children.Length - 2; i >= 0; i--)
                {
                    start = Split(Emit(node.Children[i], next), start, lazy: false);
                }

                return start;
            case Re2NodeKind.Repeat:
                return EmitRepeat(node, next);
            default:
                return Add(new Re2Instruction(Re2InstructionCode.Assert, next, Assertion: node.Kind));
        }
    }

    private int EmitRepeat(Re2Node node, int next)
    {
        var body = node.Children[0];
        var (min, max) = (node.Min, node.Max);
        if (Re2Simplifier.IsZeroWidth(body))
        {
            (min, max) = (Math.Min(min, 1), Math.Min(max, 1));
        }

        var start = next;
        if (max == Re2Node.Unbounded)
        {
            start = min > 0 ? Plus(body, next, node.Lazy) : Star(body, next, node.Lazy);
            min--;
        }
        else
        {
            for (var i = min; i < max; i++)
            {
                start = Split(Emit(body, start), next, node.Lazy);
            }
        }

        for (var i = 0; i < min; i++)
        {
            start = Emit(body, start);
        }

        return start;
    }

    private int Star(Re2Node body, int next, bool lazy)
    {
        // x* over what may be empty is (x+)?, or the order of preference inside of the loop is lost.
        if (Re2Simplifier.MayBeEmpty(body))
        {
            return Split(Plus(body, next, lazy), next, lazy);
        }

        var loop = Split(0, next, lazy);
        Patch(loop, Emit(body, loop), next, lazy);
        return loop;
    }

    private int Plus(Re2Node body, int next, bool lazy)
    {
        var loop = Split(0, next, lazy);
        var start = Emit(body, loop);
        Patch(loop, start, next, lazy);
        return start;
    }

    private int Split(int body, int next, bool lazy) => Add(SplitOf(body, next, lazy));

    private void Patch(int loop, int body, int next, bool lazy) => _instructions[loop] = SplitOf(body, next, lazy);

    private static Re2Instruction SplitOf(int body, int next, bool lazy) =>
        lazy ? new Re2Instruction(Re2InstructionCode.Split, next, body) : new Re2Instruction(Re2InstructionCode.Split, body, next);
}
