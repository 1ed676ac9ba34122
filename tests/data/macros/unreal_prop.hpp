UCLASS(Blueprintable, meta=(DisplayName="x"))
class GAME_API AHero : public ACharacter
{
	GENERATED_BODY()

public:
	AHero();
	UPROPERTY(EditAnywhere, BlueprintReadWrite, Category = "Stats")
	int32 Health = 100;
	UPROPERTY()
	TArray<UItem*> Items;
	UFUNCTION(BlueprintCallable, Category = "Stats")
	void Heal(int32 Amount);
	UFUNCTION(Server, Reliable, WithValidation)
	virtual void ServerFire() override;
	DECLARE_DELEGATE_OneParam(FOnHit, int32)
	FORCEINLINE int32 GetHealth() const { return Health; }
};
USTRUCT(BlueprintType)
struct FStat
{
	GENERATED_USTRUCT_BODY()
	UPROPERTY(EditAnywhere) float Value;
};
UENUM(BlueprintType)
enum class EKind : uint8 { Melee UMETA(DisplayName="Melee"), Ranged };
