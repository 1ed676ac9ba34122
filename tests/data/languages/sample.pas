unit Shop;

interface

uses SysUtils, Items;

const
  Limit = 10;

type
  TColor = (Red, Green);

  ICart = interface
    function Total: Integer;
  end;

  TCart = class(TBase, ICart)
  private
    FCount: Integer;
  public
    constructor Create(AOwner: string);
    destructor Destroy; override;
    function Total: Integer;
    property Count: Integer read FCount write FCount;
  end;

  TLine = record
    Price: Integer;
  end;

var
  Counter: Integer;

function Helper(X: Integer): Integer;

implementation

constructor TCart.Create(AOwner: string);
begin
  inherited Create;
end;

destructor TCart.Destroy;
begin
  inherited;
end;

function TCart.Total: Integer;
var
  Local: Integer;
begin
  Local := Helper(FCount);
  Result := Local * Limit;
end;

function Helper(X: Integer): Integer;
begin
  Result := X + Counter;
end;

end.
