namespace Mesh.DataPlane.Matching.Re2;

/// <summary>One instruction of a <see cref="Re2Program"/>.</summary>
/// <param name="Code">What it does.</param>
/// <param name="Next">Where it goes on; of a split, the branch that is preferred.</param>
/// <param name="Other">The other branch of a split, or the slot of a save.</param>
/// <param name="Set">What a character must be.</param>
/// <param name="Assertion">What must hold between two characters.</param>
internal readonly record struct Re2Instruction(
    Re2InstructionCode Code,
    int Next = 0,
    int Other = 0,
    CodePointSet? Set = null,
    Re2NodeKind Assertion = Re2NodeKind.Empty);
